//! Checks, compaction, backup and restore.

use std::fs;

use tempfile::TempDir;

use super::*;
use crate::store::{Change, Record, Space, Store};

const NOTES: Space = Space(220);

#[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
struct Note {
    text: String,
}

impl Record for Note {}

fn config(home: &TempDir, name: &str) -> config::Store {
    config::Store { path: home.path().join(name), wait: Duration::from_millis(1), ..config::Store::default() }
}

fn note(number: u64) -> Note {
    Note { text: format!("note {number} ").repeat(40) }
}

/// A store with so many notes, open.
async fn filled(config: &config::Store, notes: u64) -> Store {
    let store = Store::open(config, Arc::default()).await.unwrap();
    let mut change = Change::default();
    for number in 0..notes {
        change.put(NOTES.key().number(number), &note(number)).unwrap();
    }
    change.add(NOTES.key().text("count"), i64::try_from(notes).unwrap());
    assert_eq!(store.commit(change).await.unwrap(), Committed::Done);
    store
}

#[tokio::test]
async fn a_backup_made_while_it_serves_is_a_store_again() {
    let home = TempDir::new().unwrap();
    let (first, second) = (config(&home, "first"), config(&home, "second"));
    let store = filled(&first, 3000).await;
    let mut bytes = Vec::new();
    // One moment, whatever is written meanwhile.
    assert_eq!(store.backup(&mut bytes).unwrap(), 3002);
    let mut change = Change::default();
    change.put(NOTES.key().number(1), &note(77)).unwrap();
    assert_eq!(store.commit(change).await.unwrap(), Committed::Done);
    assert_eq!(restore(&second, bytes.as_slice(), false).unwrap(), 3002);
    let again = Store::open(&second, Arc::default()).await.unwrap();
    assert_eq!(again.get::<Note>(NOTES.key().number(1)).await.unwrap(), Some(note(1)));
    assert_eq!(again.counters(vec![NOTES.key().text("count")]).await.unwrap(), [3000]);
    let checked = again.check().unwrap();
    assert_eq!((checked.records, checked.damaged, checked.version), (3002, 0, 2));
    // It isn't taken from who has it open, nor put over what is there.
    let error = restore(&second, bytes.as_slice(), true).unwrap_err().to_string();
    assert!(error.contains("another process"), "{error}");
    again.close().await.unwrap();
    let error = restore(&second, bytes.as_slice(), false).unwrap_err().to_string();
    assert!(error.contains("--overwrite"), "{error}");
}

#[tokio::test]
async fn a_backup_that_isnt_whole_changes_nothing() {
    let home = TempDir::new().unwrap();
    let (first, second) = (config(&home, "first"), config(&home, "second"));
    let store = filled(&first, 5000).await;
    let mut bytes = Vec::new();
    store.backup(&mut bytes).unwrap();
    filled(&second, 1).await.close().await.unwrap();
    for cut in [0, 10, 40, bytes.len() / 2, bytes.len() - 1] {
        assert!(restore(&second, &bytes[..cut], true).is_err(), "{cut} bytes");
        let kept = Store::open(&second, Arc::default()).await.unwrap();
        assert_eq!(kept.check().unwrap().records, 3, "{cut} bytes");
        kept.close().await.unwrap();
    }
    assert_eq!(restore(&second, bytes.as_slice(), true).unwrap(), 5002);
    let names: Vec<_> = fs::read_dir(&second.path).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["mortise.redb"], "nothing is left over");
}

#[tokio::test]
async fn damage_is_found_and_a_backup_cures_it() {
    let home = TempDir::new().unwrap();
    let config = config(&home, "data");
    let store = filled(&config, 3000).await;
    let mut bytes = Vec::new();
    store.backup(&mut bytes).unwrap();
    store.close().await.unwrap();
    verify(&config).unwrap();
    let file = config.path.join("mortise.redb");
    let whole = fs::read(&file).unwrap();
    let at = whole.windows(9).position(|window| window == b"note 1500").unwrap();
    let mut harmed = whole.clone();
    harmed[at] ^= 1;
    fs::write(&file, &harmed).unwrap();
    let error = verify(&config).unwrap_err();
    assert!(matches!(error, StoreError::Corrupt(_)), "{error}");
    assert_eq!(restore(&config, bytes.as_slice(), true).unwrap(), 3002);
    verify(&config).unwrap();
}

#[tokio::test]
async fn a_record_that_cant_be_read_is_named() {
    let home = TempDir::new().unwrap();
    let store = filled(&config(&home, "data"), 10).await;
    let harm = |key: u64, value: &str| Write::Put(NOTES.key().number(key).into(), value.into());
    let harms = batch(vec![harm(2, "\u{1}{\"text\":"), harm(3, ""), harm(4, "{\"text\":\"no version\"}")]);
    assert_eq!(store.engine.commit(harms).await.unwrap(), Committed::Done);
    let checked = store.check().unwrap();
    assert_eq!((checked.records, checked.damaged), (12, 3));
    assert_eq!(checked.examples[0], "dc0000000000000002");
}

#[tokio::test]
async fn what_is_no_longer_used_is_given_back() {
    let home = TempDir::new().unwrap();
    let config = config(&home, "data");
    let store = filled(&config, 20_000).await;
    let error = compact(&config).unwrap_err().to_string();
    assert!(error.contains("another process"), "{error}");
    let mut change = Change::default();
    change.delete_range(NOTES.key().within_after(&NOTES.key().number(9)));
    assert_eq!(store.commit(change).await.unwrap(), Committed::Done);
    store.close().await.unwrap();
    let (before, after) = compact(&config).unwrap();
    assert!(after * 10 < before, "{before} bytes, then {after}");
    let store = Store::open(&config, Arc::default()).await.unwrap();
    assert_eq!(store.check().unwrap().records, 11);
}
