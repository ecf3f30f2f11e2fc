//! Tests of the test guests: each is what its name says, before the host ever sees it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use mortise_build::{API, Manifest, ManifestError};

/// The manifest and its bytes take another place, or another id, in these.
const DERIVED: [&str; 3] = ["no-manifest", "well-next", "wrong-version"];

#[test]
fn every_guest_carries_its_manifest() {
    for (name, component) in super::all().iter().filter(|(name, _)| !DERIVED.contains(name)) {
        let manifest = Manifest::from_component(component).unwrap();
        assert_eq!((manifest.id.as_str(), manifest.api.as_str()), (*name, API));
    }
    let manifest = |name| Manifest::from_component(super::get(name));
    assert_eq!(
        (manifest("well").unwrap().version, manifest("well-next").unwrap().version),
        ("1.0.0".into(), "2.0.0".into())
    );
    assert_eq!(manifest("well").unwrap().id, manifest("well-next").unwrap().id);
    assert_eq!(manifest("wrong-version").unwrap().api, "9.0.0");
    assert!(matches!(manifest("no-manifest"), Err(ManifestError::Absent)));
}

#[test]
fn no_guest_is_forgotten() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let sources = fs::read_dir(here).unwrap().map(|entry| entry.unwrap().path());
    let sources: BTreeSet<_> = sources.filter(|path| path.join("plugin.toml").exists()).collect();
    assert_eq!(sources.len() + 2, super::all().len());
}

#[test]
fn no_guest_carries_debug_information() {
    for (name, component) in super::all() {
        assert!(!component.windows(7).any(|window| window == b".debug_"), "{name}");
        assert!(component.len() < 512 << 10, "{name} has {} bytes", component.len());
    }
}
