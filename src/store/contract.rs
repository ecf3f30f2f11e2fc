//! What every engine keeps: one suite, run on each of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tempfile::TempDir;

use super::engine::{Batch, Committed, Engine, Expect, Pair, Scan, StoreError, Write};
use super::memory::Memory;
use super::redb::Redb;
use crate::config;

struct Subject {
    name: &'static str,
    engine: Arc<dyn Engine>,
    /// Gone with it.
    _home: Option<TempDir>,
}

fn redb(name: &'static str, shared: bool) -> Subject {
    let home = TempDir::new().unwrap();
    let config = config::Store { path: home.path().join("data"), shared, ..config::Store::default() };
    Subject { name, engine: Arc::new(Redb::open(&config, Arc::default()).unwrap()), _home: Some(home) }
}

fn subjects() -> Vec<Subject> {
    let memory = Subject { name: "memory", engine: Arc::new(Memory::default()), _home: None };
    vec![memory, redb("redb", false), redb("redb, shared", true)]
}

fn bytes(text: &str) -> Vec<u8> {
    text.as_bytes().to_vec()
}

fn put(key: &str, value: &str) -> Write {
    Write::Put(bytes(key), bytes(value))
}

fn batch(writes: Vec<Write>) -> Batch {
    Batch { writes, ..Batch::default() }
}

impl Subject {
    async fn done(&self, batch: Batch) {
        assert_eq!(self.engine.commit(batch).await.unwrap(), Committed::Done, "{}", self.name);
    }

    async fn get(&self, key: &str) -> Option<String> {
        let value = self.engine.get(vec![bytes(key)]).await.unwrap().remove(0);
        value.map(|value| String::from_utf8(value).unwrap())
    }

    async fn count(&self, key: &str) -> i64 {
        super::engine::counter(self.engine.get(vec![bytes(key)]).await.unwrap()[0].as_deref()).unwrap()
    }

    async fn keys(&self, range: std::ops::Range<&str>, backwards: bool, limit: usize) -> Vec<String> {
        let range = bytes(range.start)..bytes(range.end);
        let pairs = self.engine.scan(Scan { range, backwards, limit }).await.unwrap();
        pairs.into_iter().map(|(key, _)| String::from_utf8(key).unwrap()).collect()
    }
}

#[tokio::test]
async fn keys_are_read_in_the_order_of_their_bytes() {
    for subject in subjects() {
        let name = subject.name;
        subject.done(batch(["b", "a", "aa", "", "c", "ab", "~"].map(|key| put(key, key)).into())).await;
        assert_eq!(subject.keys("".."\u{7f}", false, 99).await, ["", "a", "aa", "ab", "b", "c", "~"], "{name}");
        assert_eq!(subject.keys("".."\u{7f}", true, 99).await, ["~", "c", "b", "ab", "aa", "a", ""], "{name}");
        assert_eq!(subject.keys("aa".."c", false, 99).await, ["aa", "ab", "b"], "{name}: the end isn't in it");
        assert_eq!(subject.keys("aa".."c", true, 2).await, ["b", "ab"], "{name}");
        assert_eq!(subject.keys("aa".."c", false, 2).await, ["aa", "ab"], "{name}");
        assert_eq!(subject.keys("a".."c", false, 0).await, [""; 0], "{name}");
        assert_eq!(subject.keys("c".."a", false, 9).await, [""; 0], "{name}: a range the wrong way round is empty");
        assert_eq!(subject.keys("b".."b", true, 9).await, [""; 0], "{name}");
        let found = subject.engine.get(vec![bytes("c"), bytes("d"), bytes("a")]).await.unwrap();
        assert_eq!(found, [Some(bytes("c")), None, Some(bytes("a"))], "{name}: in the order that was asked in");
    }
}

#[tokio::test]
async fn a_batch_is_done_in_its_order() {
    for subject in subjects() {
        subject.done(batch(vec![put("a", "1"), put("b", "1"), put("c", "1")])).await;
        let writes = vec![
            put("a", "2"),
            Write::DeleteRange(bytes("a")..bytes("c")),
            put("b", "3"),
            Write::Delete(bytes("c")),
            Write::Delete(bytes("never was")),
            put("", "empty"),
            put("d", ""),
        ];
        subject.done(batch(writes)).await;
        assert_eq!(subject.keys("".."z", false, 9).await, ["", "b", "d"], "{}", subject.name);
        assert_eq!(subject.get("b").await.unwrap(), "3");
        assert_eq!(subject.get("d").await.unwrap(), "", "{}: an empty value is one", subject.name);
    }
}

#[tokio::test]
async fn a_range_is_deleted_without_its_end() {
    for subject in subjects() {
        subject.done(batch((0..1000).map(|n| put(&format!("{n:04}"), "x")).collect())).await;
        subject.done(batch(vec![Write::DeleteRange(bytes("0010")..bytes("0990"))])).await;
        let mut left: Vec<String> = (0..10).map(|n| format!("{n:04}")).collect();
        left.extend((990..1000).map(|n| format!("{n:04}")));
        assert_eq!(subject.keys("0".."1", false, 2000).await, left, "{}", subject.name);
        subject.done(batch(vec![Write::DeleteRange(bytes("1")..bytes("0"))])).await;
        assert_eq!(subject.keys("0".."1", false, 2000).await, left, "{}", subject.name);
    }
}

#[tokio::test]
async fn what_isnt_as_expected_changes_nothing() {
    for subject in subjects() {
        let name = subject.name;
        subject.done(batch(vec![put("a", "1")])).await;
        let cases = [
            (vec![Expect::Absent(bytes("a"))], false),
            (vec![Expect::Absent(bytes("b"))], true),
            (vec![Expect::Is(bytes("a"), bytes("1"))], true),
            (vec![Expect::Is(bytes("a"), bytes("2"))], false),
            (vec![Expect::Is(bytes("b"), bytes(""))], false),
            (vec![Expect::Is(bytes("a"), bytes("1")), Expect::Absent(bytes("a"))], false),
        ];
        for (expects, kept) in cases {
            let outcome = subject.engine.commit(Batch { expects, ..batch(vec![put("c", "3")]) }).await.unwrap();
            assert_eq!(outcome == Committed::Done, kept, "{name}");
            assert_eq!(subject.get("c").await.is_some(), kept, "{name}");
            subject.done(batch(vec![Write::Delete(bytes("c"))])).await;
        }
        // Preconditions alone.
        let absent = |key| Batch { expects: vec![Expect::Absent(bytes(key))], ..Batch::default() };
        assert_eq!(subject.engine.commit(absent("a")).await.unwrap(), Committed::Conflict, "{name}");
        assert_eq!(subject.engine.commit(absent("b")).await.unwrap(), Committed::Done, "{name}");
    }
}

#[tokio::test]
async fn counters_count_and_damaged_ones_change_nothing() {
    for subject in subjects() {
        let name = subject.name;
        let add = |key: &str, more| Write::Add(bytes(key), more);
        subject.done(batch(vec![add("n", 5), add("n", -7), add("m", i64::MAX), add("m", 1)])).await;
        assert_eq!((subject.count("n").await, subject.count("m").await), (-2, i64::MAX), "{name}");
        subject.done(batch(vec![Write::Delete(bytes("n")), add("n", 1), put("text", "words")])).await;
        assert_eq!(subject.count("n").await, 1, "{name}: it counts from 0 again");
        subject.done(batch(vec![add("n", 8), Write::DeleteRange(bytes("n")..bytes("o")), add("n", 2)])).await;
        assert_eq!(subject.count("n").await, 2, "{name}");
        for damaging in [vec![add("text", 1)], vec![put("n", "none"), add("n", 1)]] {
            let mut writes = vec![put("before", "x")];
            writes.extend(damaging);
            writes.push(put("behind", "x"));
            let error = subject.engine.commit(batch(writes)).await.unwrap_err();
            assert!(matches!(error, StoreError::Corrupt(_)), "{name}: {error}");
            assert_eq!((subject.get("before").await, subject.get("behind").await), (None, None), "{name}");
            assert_eq!(subject.count("n").await, 2, "{name}");
        }
    }
}

#[tokio::test]
async fn who_writes_at_once_neither_loses_nor_mixes() {
    for subject in subjects() {
        let name = subject.name;
        let one = |number: usize| {
            let engine = subject.engine.clone();
            tokio::spawn(async move {
                // One of all may have the name; all count; one in seven is damaged, and fails alone.
                let mine = format!("{number:03}");
                let mut writes =
                    vec![Write::Add(bytes("count"), 1), put("last", &mine), put(&format!("log/{mine}"), "x")];
                if number.is_multiple_of(7) {
                    writes.extend([put("word", "none"), Write::Add(bytes("word"), 1)]);
                }
                let counted = engine.commit(batch(writes)).await;
                assert_eq!(counted.is_err(), number.is_multiple_of(7), "{counted:?}");
                let name = Batch { expects: vec![Expect::Absent(bytes("name"))], ..batch(vec![put("name", &mine)]) };
                engine.commit(name).await.unwrap() == Committed::Done
            })
        };
        let all: Vec<_> = (0..140).map(one).collect();
        let mut named = 0;
        for task in all {
            named += usize::from(task.await.unwrap());
        }
        assert_eq!(named, 1, "{name}");
        assert_eq!(subject.count("count").await, 120, "{name}");
        assert_eq!(subject.keys("log/".."log0", false, 999).await.len(), 120, "{name}");
        assert_eq!(subject.get("word").await, None, "{name}");
    }
}

#[tokio::test]
async fn what_is_long_is_kept_whole() {
    for subject in subjects() {
        let long = "x".repeat(3 << 20);
        subject.done(batch(vec![put("long", &long), put(&"k".repeat(4000), "key")])).await;
        assert_eq!(subject.get("long").await.unwrap().len(), long.len(), "{}", subject.name);
        assert_eq!(subject.get(&"k".repeat(4000)).await.unwrap(), "key", "{}", subject.name);
    }
}

#[tokio::test]
async fn who_gave_up_waiting_leaves_nothing_behind() {
    for subject in subjects() {
        for number in 0..50 {
            drop(subject.engine.commit(batch(vec![put(&number.to_string(), "never asked for")])));
            drop(subject.engine.get(vec![bytes("x")]));
            let polled = subject.engine.commit(batch(vec![Write::Add(bytes("n"), 1)]));
            let _ = tokio::time::timeout(std::time::Duration::ZERO, polled).await;
        }
        subject.done(batch(vec![put("a", "1")])).await;
        assert_eq!(subject.get("a").await.unwrap(), "1", "{}", subject.name);
        assert!((0..=50).contains(&subject.count("n").await), "{}", subject.name);
    }
}

/// A few keys, so that batches meet.
fn key() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop::sample::select(vec![0_u8, 1, 0xff]), 0..4)
}

fn write() -> impl Strategy<Value = Write> {
    let value = prop::collection::vec(any::<u8>(), 0..20);
    prop_oneof![
        4 => (key(), value).prop_map(|(key, value)| Write::Put(key, value)),
        2 => (key(), any::<i64>()).prop_map(|(key, more)| Write::Add(key, more)),
        2 => key().prop_map(Write::Delete),
        1 => (key(), key()).prop_map(|(a, b)| Write::DeleteRange(a..b)),
    ]
}

/// What a batch expects of some keys (that they are as they are, absent, or something else), and what it writes.
type Wished = (Vec<(Vec<u8>, u8)>, Vec<Write>);

fn batches() -> impl Strategy<Value = Vec<Wished>> {
    let one = (prop::collection::vec((key(), 0..6_u8), 0..2), prop::collection::vec(write(), 0..6));
    prop::collection::vec(one, 1..16)
}

async fn everything(engine: &dyn Engine) -> Vec<Pair> {
    engine.scan(Scan { range: Vec::new()..vec![0xff; 8], backwards: false, limit: usize::MAX }).await.unwrap()
}

#[test]
fn random_batches_come_to_the_same_everywhere() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let subjects = subjects();
    let mut runner = TestRunner::new(Config { cases: 48, failure_persistence: None, ..Config::default() });
    let compare = |batches: Vec<Wished>| {
        runtime.block_on(async {
            for subject in &subjects {
                subject.done(batch(vec![Write::DeleteRange(Vec::new()..vec![0xff; 8])])).await;
            }
            for (wishes, writes) in &batches {
                let now: BTreeMap<_, _> = everything(&*subjects[0].engine).await.into_iter().collect();
                let expect = |(key, wish): &(Vec<u8>, u8)| match (now.get(key), wish) {
                    (_, 0) => Expect::Absent(key.clone()),
                    (_, 1) => Expect::Is(key.clone(), b"something".to_vec()),
                    (Some(value), _) => Expect::Is(key.clone(), value.clone()),
                    (None, _) => Expect::Absent(key.clone()),
                };
                let asked = Batch { expects: wishes.iter().map(expect).collect(), ..batch(writes.clone()) };
                let mut seen = Vec::new();
                for subject in &subjects {
                    let outcome = subject.engine.commit(asked.clone()).await.map_err(|error| error.to_string());
                    seen.push((outcome, everything(&*subject.engine).await));
                }
                for other in &seen[1..] {
                    prop_assert_eq!(&seen[0], other);
                }
            }
            Ok(())
        })
    };
    runner.run(&batches(), compare).unwrap();
}
