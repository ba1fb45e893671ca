//! Management controllers: Redfish.
