//! Bodies of `/api/v1/admin` that the API document shows.

use serde_json::{Value, json};

pub(super) const ID: &str = "0198c0a1-b2c3-7d4e-8f90-a1b2c3d4e5f6";

pub(super) fn stats() -> Value {
    json!({
        "total_users": 42,
        "total_sessions": 156,
        "active_sessions": 12,
        "total_api_calls_today": 1234,
        "total_cost_today_usd": 15.67,
    })
}

pub(super) fn user() -> Value {
    json!({
        "id": ID,
        "email": "user@example.com",
        "username": "johndoe",
        "full_name": "John Doe",
        "role": "user",
        "is_active": true,
        "created_at": "2025-10-19T09:00:00.000Z",
        "last_login_at": "2025-10-19T10:00:00.000Z",
        "limits": limits(),
    })
}

pub(super) fn users() -> Value {
    json!({
        "items": [user()],
        "total": 42,
        "skip": 0,
        "limit": 1,
        "links": {"next": "/api/v1/admin/users?skip=1&limit=1", "prev": null},
    })
}

pub(super) fn user_request() -> Value {
    json!({"email": "user@example.com", "username": "johndoe", "password": "secret123", "role": "user"})
}

pub(super) fn user_patch() -> Value {
    json!({"is_active": true, "limits": limits()})
}

fn limits() -> Value {
    json!({"models": ["openai/*"], "usd_per_month": 20.0, "tokens_per_day": 100_000})
}

pub(super) fn reset() -> Value {
    json!({"user_id": ID, "password": "q3Zf7LxYw0aTnB5u"})
}

pub(super) fn usage() -> Value {
    let of = |period: &str| json!({"period": period, "calls": 3, "tokens": 4200, "cost_usd": 0.0123});
    json!({"month": of("2026-01"), "days": [of("2026-01-31"), of("2026-01-30")]})
}

pub(super) fn key() -> Value {
    json!({
        "id": ID,
        "name": "ci",
        "user_id": null,
        "key_prefix": "token-Zq",
        "scopes": ["read", "write"],
        "created_at": "2026-01-01T00:00:00.000Z",
        "expires_at": null,
        "last_used_at": "2026-01-02T00:00:00.000Z",
        "limits": limits(),
    })
}

pub(super) fn keys() -> Value {
    json!({"items": [key()], "total": 1, "skip": 0, "limit": 100, "links": {"next": null, "prev": null}})
}

pub(super) fn key_request() -> Value {
    json!({"name": "ci", "scopes": ["read", "write"], "limits": limits()})
}

pub(super) fn key_patch() -> Value {
    json!({"limits": limits()})
}

pub(super) fn new_key() -> Value {
    let mut key = key();
    if let Some(fields) = key.as_object_mut() {
        fields.insert("key".into(), json!("token-..."));
        fields.insert("last_used_at".into(), Value::Null);
    }
    key
}
