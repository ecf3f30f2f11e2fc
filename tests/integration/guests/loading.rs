//! Guests that are no plugins at all: they are never published, and the reason is told.

use serde_json::json;

use super::{asks, server, status};
use crate::harness::Server;

/// The guest, and what its error must say: what is wrong, or how to mend it.
const BAD: [(&str, &[&str]); 5] = [
    ("foreign-import", &["evil:host/backdoor", "mortise:plugin 0.1"]),
    ("wrong-version", &["9.0.0", "this server speaks 0.1"]),
    ("no-manifest", &["manifest", "mortise plugin build"]),
    ("trap-describe", &["describe"]),
    ("endless-describe", &["describe"]),
];

#[tokio::test(flavor = "multi_thread")]
async fn none_of_them_is_published_and_each_says_why() {
    let names = BAD.map(|(name, _)| name);
    let server = server(&names, "").await;
    super::well(server.client).await;
    for (name, words) in BAD {
        let told = status(&server, name).await;
        assert_eq!((&told["state"], &told["version"]), (&json!("failed"), &json!(null)), "{told}");
        let error = told["last_error"].as_str().unwrap_or_default();
        for word in words {
            assert!(error.contains(word), "{name}: no {word:?} in {error:?}");
        }
        let reply = server.client.post(super::CHAT, &asks(name, "any")).await;
        let body = crate::shape::native(&reply, 503, "PROVIDER_ERROR");
        assert!(body["error"].as_str().unwrap().contains(name), "{body}");
    }
    // A provider that can't answer is told as such, and the server is well all the same.
    let listed = server.client.get("/api/v1/status").await.expect(200);
    assert_eq!(listed["providers"]["foreign-import"]["healthy"], false, "{listed}");
    assert_eq!(listed["providers"]["well"]["healthy"], true, "{listed}");
    assert_eq!(server.client.get("/health").await.status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_component_is_told_as_such() {
    let server = Server::configured(|home| {
        let plugins = home.join("plugins");
        let well = test_guests::get("well");
        let files: [(&str, &[u8]); 6] = [
            ("empty", b""),
            ("text", b"this is no plugin"),
            ("module", b"\0asm\x01\0\0\0"),
            ("cut", &well[..well.len() / 2]),
            ("cut-late", &well[..well.len() - 1]),
            ("zeros", &[0; 4096]),
        ];
        for (name, content) in files {
            std::fs::write(plugins.join(format!("{name}.wasm")), content).unwrap();
        }
        // Neither of these is a plugin's file, whatever is in it.
        std::fs::write(plugins.join("README.md"), well).unwrap();
        std::fs::create_dir(plugins.join("folder.wasm")).unwrap();
        crate::harness::ECHO.into()
    })
    .await;
    for name in ["empty", "text", "module", "cut", "cut-late", "zeros"] {
        let told = status(&server, name).await;
        assert_eq!(told["state"], "failed", "{told}");
        assert!(!told["last_error"].as_str().unwrap().is_empty(), "{told}");
    }
    let list = server.client.get("/api/v1/plugins").await;
    assert!(!list.text().contains("README") && !list.text().contains("\"well\""), "{}", list.text());
    assert_eq!(server.client.post(super::CHAT, &json!({"message": "x"})).await.status(), 200);
}

/// A crash of what a plugin does at the door is no crash of the server, also while it runs.
#[tokio::test(flavor = "multi_thread")]
async fn a_bad_guest_that_comes_later_changes_nothing() {
    let server = server(&[], "plugins: {rescan: 100ms}").await;
    for (name, _) in BAD {
        std::fs::write(server.plugins().join(format!("{name}.wasm")), test_guests::get(name)).unwrap();
    }
    for (name, _) in BAD {
        crate::patience::until("the new file to be seen", async || {
            let list = server.client.get("/api/v1/plugins").await.expect(200);
            let seen = list["plugins"].as_array().unwrap().iter().any(|plugin| plugin["id"] == name);
            seen.then_some(())
        })
        .await;
        assert_eq!(status(&server, name).await["state"], "failed");
        super::well(server.client).await;
    }
}
