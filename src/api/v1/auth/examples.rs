//! Bodies of `/api/v1/auth` that the API document shows.

use serde_json::{Value, json};

const ID: &str = "0198c0a1-b2c3-7d4e-8f90-a1b2c3d4e5f6";
const TOKEN: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9...";

pub(super) fn register_request() -> Value {
    json!({"email": "user@example.com", "username": "johndoe", "password": "secret123", "full_name": "John Doe"})
}

pub(super) fn registered() -> Value {
    json!({
        "id": ID,
        "email": "user@example.com",
        "username": "johndoe",
        "role": "user",
        "created_at": "2025-10-19T12:00:00.000Z",
    })
}

pub(super) fn login_request() -> Value {
    json!({"email": "user@example.com", "password": "secret123"})
}

pub(super) fn tokens() -> Value {
    json!({"access_token": TOKEN, "token_type": "bearer", "expires_in": 3600, "refresh_token": TOKEN})
}

pub(super) fn refresh_request() -> Value {
    json!({"refresh_token": TOKEN})
}

pub(super) fn refreshed() -> Value {
    json!({"access_token": TOKEN, "token_type": "bearer", "expires_in": 3600})
}

pub(super) fn me() -> Value {
    json!({
        "id": ID,
        "email": "user@example.com",
        "username": "johndoe",
        "full_name": "John Doe",
        "role": "user",
        "is_active": true,
        "created_at": "2025-10-19T12:00:00.000Z",
        "last_login_at": "2025-10-19T12:01:00.000Z",
    })
}

pub(super) fn logged_out() -> Value {
    json!({"message": "Logged out", "tokens_revoked": 1, "user_id": ID})
}

pub(super) fn password_request() -> Value {
    json!({"current_password": "secret123", "new_password": "a longer secret"})
}
