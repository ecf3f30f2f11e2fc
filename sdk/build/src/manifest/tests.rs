//! Tests of the manifest: what is written is read back, and nothing that is read can hurt.

use proptest::prelude::*;
use serde_json::json;

use super::{API, Kind, LIMIT, Manifest, ManifestError, SECTION};
use crate::section;

const EMPTY: &[u8] = b"\0asm\x0d\0\x01\0";
const CORE: &[u8] = b"\0asm\x01\0\0\0";

fn manifest() -> Manifest {
    let mut manifest = Manifest::new("openai", "1.2.3-rc.1", Kind::Provider);
    manifest.description = "talks to OpenAI".to_owned();
    manifest.asks.hosts = vec!["https://api.openai.com".to_owned(), "http://[::1]:8080".to_owned()];
    manifest.settings = json!({ "type": "object" }).as_object().cloned();
    manifest
}

/// An empty component with `data` as its manifest.
fn component(data: &[u8]) -> Vec<u8> {
    let mut component = EMPTY.to_vec();
    section::append(&mut component, SECTION, data);
    component
}

#[test]
fn the_api_is_the_wit_package_s_version() {
    let wit = include_str!("../../../../wit/worlds.wit");
    assert!(wit.starts_with(&format!("package mortise:plugin@{API};")));
}

#[test]
fn what_is_embedded_is_read_back() {
    let once = manifest().embed(EMPTY).unwrap();
    assert_eq!(Manifest::from_component(&once).unwrap(), manifest());
    let replaced = Manifest::new("other", "2.0.0", Kind::Tool);
    let twice = replaced.embed(&once).unwrap();
    assert_eq!(Manifest::from_component(&twice).unwrap(), replaced);
    assert_eq!(Manifest::strip(&twice).unwrap(), EMPTY);
}

#[test]
fn nested_sections_are_stepped_over() {
    // A module and a component inside, each with a manifest of its own that is not ours.
    let mut inner = CORE.to_vec();
    section::append(&mut inner, SECTION, b"{}");
    let mut bytes = EMPTY.to_vec();
    for (id, nested) in [(1, inner), (4, component(b"{}"))] {
        bytes.extend([id, u8::try_from(nested.len()).unwrap()]);
        bytes.extend(nested);
    }
    assert!(matches!(Manifest::from_component(&bytes), Err(ManifestError::Absent)));
    let bytes = manifest().embed(&bytes).unwrap();
    assert_eq!(Manifest::from_component(&bytes).unwrap(), manifest());
    for cut in 8..bytes.len() {
        assert!(Manifest::from_component(&bytes[..cut]).is_err(), "cut at {cut}");
    }
}

#[test]
fn what_is_no_plugin_is_refused_with_a_cure() {
    let reason = |bytes: &[u8]| Manifest::from_component(bytes).unwrap_err().to_string();
    assert!(reason(b"").starts_with("not a webassembly component"));
    assert!(reason(b"#!/bin/sh").starts_with("not a webassembly component"));
    assert!(reason(CORE).starts_with("a core webassembly module"));
    assert!(reason(EMPTY).starts_with("no manifest inside"));
    let mut twice = component(b"{}");
    section::append(&mut twice, SECTION, b"{}");
    assert!(reason(&twice).starts_with("more than one manifest"));
    assert!(reason(&component(b"{")).contains("can't be read"));
    assert!(reason(&component(&vec![b' '; LIMIT + 1])).contains("65537 bytes"));
    assert!(reason(&component("[".repeat(1000).as_bytes())).contains("recursion limit"));
}

#[test]
fn a_field_that_is_wrong_is_named() {
    let good = serde_json::to_value(manifest()).unwrap();
    let reason = |name: &str, value: serde_json::Value| {
        let mut bad = good.clone();
        bad[name] = value;
        Manifest::from_component(&component(bad.to_string().as_bytes())).unwrap_err().to_string()
    };
    assert!(reason("manifest", json!(2)).contains("layout 2"));
    assert!(reason("surprise", json!(1)).contains("unknown field `surprise`"));
    assert!(reason("asks", json!({ "sockets": [] })).contains("unknown field `sockets`"));
    assert!(reason("kind", json!("agent")).contains("unknown variant `agent`"));
    for id in ["", "Open", "9lives", "a_b", "../x", "a".repeat(64).as_str()] {
        assert!(reason("id", json!(id)).contains("the manifest's id"), "{id}");
    }
    for version in ["", "1", "1.0", "1..0", "1.0.x", "1.0.0 ", "../../x"] {
        assert!(reason("version", json!(version)).contains("the manifest's version"), "{version}");
        assert!(reason("api", json!(version)).contains("the manifest's api"), "{version}");
    }
    for host in ["example.com", "https://", "file:///etc", "https://a/b", "https://a@b", "https://a b"] {
        assert!(reason("asks", json!({ "hosts": [host] })).contains("asks.hosts"), "{host}");
    }
    assert!(reason("description", json!("two\nlines")).contains("description"));
    assert!(reason("settings", json!([])).contains("expected a map"));
}

#[test]
fn a_schema_that_is_too_large_is_not_embedded() {
    let mut large = manifest();
    large.settings = json!({ "x": "y".repeat(LIMIT) }).as_object().cloned();
    assert!(matches!(large.embed(EMPTY), Err(ManifestError::TooLarge { .. })));
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..256)) {
        let _ = Manifest::from_component(&bytes);
        let _ = Manifest::from_component(&component(&bytes));
        let _ = manifest().embed(&[EMPTY, &bytes[..]].concat());
        let _ = Manifest::from_component(&[EMPTY, &bytes[..]].concat());
    }

    #[test]
    fn no_damage_panics(at in 0_usize..400, byte in any::<u8>()) {
        let mut bytes = manifest().embed(&manifest().embed(EMPTY).unwrap()).unwrap();
        let at = at % bytes.len();
        bytes[at] = byte;
        let _ = Manifest::from_component(&bytes);
    }
}
