//! Boot services: DHCP, TFTP, HTTP and iPXE scripts.
