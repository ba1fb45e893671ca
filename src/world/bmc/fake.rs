//! Hostile and friendly services in small axum servers, for the tests of this room.
