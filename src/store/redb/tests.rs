//! What the embedded engine does when the disk does what disks do.

mod disk;
mod upkeep;

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tempfile::TempDir;

use self::disk::Disk;
use super::*;
use crate::store::engine::{Expect, Write, counter};

type Pairs = BTreeMap<Vec<u8>, Vec<u8>>;

fn open(disk: &Disk) -> Result<Redb, StoreError> {
    Redb::on(Arc::new(disk.clone()), Arc::default())
}

async fn everything(redb: &Redb) -> Result<Pairs, StoreError> {
    let scan = Scan { range: Vec::new()..vec![0xff; 8], backwards: false, limit: usize::MAX };
    Ok(redb.scan(scan).await?.into_iter().collect())
}

fn put(key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) -> Write {
    Write::Put(key.into(), value.into())
}

fn batch(writes: Vec<Write>) -> Batch {
    Batch { writes, ..Batch::default() }
}

/// The `number`th of a mixed load: it counts, writes several pairs of very different length, and deletes others.
fn mixed(number: u64, random: &mut fastrand::Rng) -> Batch {
    let mut writes = vec![Write::Add(b"count".to_vec(), 1)];
    for _ in 0..random.usize(1..5) {
        let key = format!("k{:03}", random.u16(..400));
        let length = if random.u8(..10) == 0 { random.usize(..20_000) } else { random.usize(..300) };
        writes.push(put(key, vec![u8::try_from(number % 251).unwrap(); length]));
    }
    if random.u8(..4) == 0 {
        let from = random.u16(..400);
        writes.push(Write::DeleteRange(format!("k{from:03}").into()..format!("k{:03}", from + 10).into()));
    }
    batch(writes)
}

fn model(pairs: &mut Pairs, batch: &Batch) {
    for write in &batch.writes {
        match write {
            Write::Put(key, value) => drop(pairs.insert(key.clone(), value.clone())),
            Write::Delete(key) => drop(pairs.remove(key)),
            Write::DeleteRange(range) => pairs.retain(|key, _| !range.contains(key)),
            Write::Add(key, more) => {
                let sum = counter(pairs.get(key).map(Vec::as_slice)).unwrap() + more;
                pairs.insert(key.clone(), sum.to_be_bytes().to_vec());
            }
        }
    }
}

/// Whether `pairs` is what some first batches come to, at least `least` of them.
fn prefix(states: &[Pairs], pairs: &Pairs, least: u64) -> Result<u64, String> {
    let count = counter(pairs.get(b"count".as_slice()).map(Vec::as_slice)).unwrap();
    let count = u64::try_from(count).unwrap();
    if count < least {
        return Err(format!("{least} were acknowledged, {count} are there"));
    }
    match states.get(usize::try_from(count).unwrap()) {
        Some(state) if state == pairs => Ok(count),
        _ => Err(format!("it isn't what the first {count} batches come to")),
    }
}

#[tokio::test]
async fn a_loss_of_power_leaves_all_that_was_acknowledged_and_nothing_by_half() {
    let (mut images, mut ahead) = (0, 0);
    for seed in 0..12 {
        let mut random = fastrand::Rng::with_seed(seed);
        let disk = Disk::new();
        let redb = open(&disk).unwrap();
        // A file has its name only when it is a database.
        disk.lose_power(seed);
        let mut states = vec![Pairs::new()];
        let mut number = 0;
        while number < 120 {
            // Some together, so that they are joined.
            let together = random.u64(1..8);
            let mut waiting = Vec::new();
            for _ in 0..together {
                let batch = mixed(number, &mut random);
                let mut next = states.last().unwrap().clone();
                model(&mut next, &batch);
                states.push(next);
                waiting.push(redb.commit(batch));
                number += 1;
            }
            for outcome in futures_util::future::join_all(waiting).await {
                assert_eq!(outcome.unwrap(), Committed::Done);
                disk.acknowledged.fetch_add(1, Ordering::SeqCst);
            }
        }
        redb.close().await.unwrap();
        let (last, acknowledged) = (disk.bytes(), disk.acknowledged.load(Ordering::SeqCst));
        let found = everything(&open(&Disk::holding(last)).unwrap()).await.unwrap();
        assert_eq!(prefix(&states, &found, acknowledged), Ok(acknowledged), "closed properly");
        for image in disk.images() {
            let again = open(&Disk::holding(image.bytes));
            let again =
                again.unwrap_or_else(|error| panic!("seed {seed}, {} acknowledged: {error}", image.acknowledged));
            let found = everything(&again).await.unwrap();
            let count =
                prefix(&states, &found, image.acknowledged).unwrap_or_else(|wrong| panic!("seed {seed}: {wrong}"));
            // It can be written again.
            assert_eq!(again.commit(batch(vec![put("new", "x")])).await.unwrap(), Committed::Done);
            images += 1;
            ahead += u64::from(count > image.acknowledged);
        }
    }
    assert!(images > 300 && ahead > 0, "{images} losses of power, {ahead} with more than was acknowledged");
}

#[tokio::test]
async fn where_there_is_no_room_nothing_is_lost_and_all_goes_on_when_there_is() {
    let disk = Disk::new();
    let redb = open(&disk).unwrap();
    assert_eq!(redb.commit(batch(vec![put("a", "1"), put("b", "1")])).await.unwrap(), Committed::Done);
    disk.leave(5 << 20);
    let long = || batch(vec![put("a", "2"), put("long", vec![0; 1 << 20])]);
    let error = redb.commit(long()).await.unwrap_err();
    assert!(matches!(error, StoreError::Full(_)), "{error}");
    assert_eq!(redb.health(), Health::Full);
    // What is small still finds room, and what deletes always does.
    assert_eq!(redb.commit(batch(vec![put("c", "1")])).await.unwrap(), Committed::Done);
    disk.leave(1 << 20);
    assert!(redb.commit(batch(vec![put("d", "1")])).await.is_err());
    assert_eq!(redb.commit(batch(vec![Write::Delete(b"b".to_vec())])).await.unwrap(), Committed::Done);
    // Also where it says so beside.
    let removal = Batch { removes: true, ..batch(vec![Write::Delete(b"a".to_vec()), put("removed", "a")]) };
    assert_eq!(redb.commit(removal).await.unwrap(), Committed::Done);
    let keys: Vec<_> = everything(&redb).await.unwrap().into_keys().collect();
    assert_eq!(keys, [b"c".to_vec(), b"removed".to_vec()]);
    disk.leave(u64::MAX);
    assert_eq!(redb.commit(long()).await.unwrap(), Committed::Done);
    assert_eq!(redb.health(), Health::Well);
}

#[tokio::test]
async fn what_is_deleted_makes_room_on_a_full_disk() {
    let (disk, megabyte) = (Disk::new(), 1 << 20);
    let redb = open(&disk).unwrap();
    let long = |key: u8| batch(vec![put([key], vec![key; megabyte])]);
    for key in 0..40 {
        assert_eq!(redb.commit(long(key)).await.unwrap(), Committed::Done);
    }
    disk.claim(megabyte as u64);
    while redb.commit(long(40)).await.is_ok() {}
    assert_eq!(redb.health(), Health::Full);
    let length = disk.size();
    let removed = batch(vec![Write::DeleteRange(vec![0]..vec![36])]);
    assert_eq!(redb.commit(removed).await.unwrap(), Committed::Done);
    // It is looked for what became free about once a second, also where nobody writes.
    for _ in 0..600 {
        if redb.health() == Health::Well {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(redb.health(), Health::Well);
    assert_eq!(redb.commit(long(50)).await.unwrap(), Committed::Done);
    assert!(disk.size() <= length, "{} after {length}", disk.size());
    // And not without end.
    let mut more = 51;
    while redb.commit(long(more)).await.is_ok() {
        more += 1;
        assert!(more < 90, "it grows");
    }
    assert_eq!(redb.health(), Health::Full);
}

#[tokio::test]
async fn a_disk_that_is_full_in_the_middle_of_it_is_survived() {
    // It claims to have room, so the library itself runs into it.
    let disk = Disk::new();
    disk.claim(1 << 30);
    let redb = open(&disk).unwrap();
    let mut random = fastrand::Rng::with_seed(7);
    let (mut states, mut acknowledged, mut refused) = (vec![Pairs::new()], 0, 0);
    for number in 0..300 {
        disk.leave(if number % 10 == 9 { random.u64(..100_000) } else { u64::MAX });
        let next = mixed(number, &mut random);
        let mut state = states.last().unwrap().clone();
        model(&mut state, &next);
        match redb.commit(next).await {
            Ok(outcome) => {
                assert_eq!(outcome, Committed::Done);
                states.push(state);
                acknowledged += 1;
            }
            Err(error) => {
                refused += 1;
                assert!(matches!(error, StoreError::Full(_)), "{error}");
                // It may be there all the same, but whole.
                disk.leave(u64::MAX);
                let found = reachable(&redb).await;
                if prefix(&states, &found, acknowledged).is_err() {
                    states.push(state);
                    assert_eq!(prefix(&states, &found, acknowledged), Ok(acknowledged + 1));
                    acknowledged += 1;
                }
            }
        }
    }
    assert!(refused > 5, "{refused} were refused");
    assert_eq!(prefix(&states, &everything(&redb).await.unwrap(), acknowledged), Ok(acknowledged));
}

/// What is there, as soon as the store can be read and written again.
async fn reachable(redb: &Redb) -> Pairs {
    for _ in 0..600 {
        let written = redb.commit(batch(vec![Write::Delete(b"none".to_vec())])).await;
        if let (Ok(_), Ok(pairs)) = (written, everything(redb).await) {
            return pairs;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the store doesn't come back");
}

#[tokio::test]
async fn a_disk_that_goes_away_and_comes_back_is_survived() {
    let disk = Disk::new();
    let redb = open(&disk).unwrap();
    assert_eq!(redb.commit(batch(vec![put("a", "1")])).await.unwrap(), Committed::Done);
    disk.break_down(true);
    let error = redb.commit(batch(vec![put("a", "2")])).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
    assert_eq!(redb.health(), Health::Down);
    // What is in memory can still be read.
    if let Ok(found) = redb.get(vec![b"a".to_vec()]).await {
        assert_eq!(found, [Some(b"1".to_vec())]);
    }
    disk.break_down(false);
    assert_eq!(reachable(&redb).await.into_iter().collect::<Vec<_>>(), [(b"a".to_vec(), b"1".to_vec())]);
    assert_eq!(redb.health(), Health::Well);
}

#[tokio::test]
async fn what_is_queued_is_done_before_the_end() {
    let home = TempDir::new().unwrap();
    let config = config::Store { path: home.path().join("data"), ..config::Store::default() };
    let counts = Arc::new(StoreCounts::default());
    let redb = Redb::open(&config, counts).unwrap();
    let waiting: Vec<_> = (0..30).map(|n: u32| redb.commit(batch(vec![put(n.to_be_bytes(), "x")]))).collect();
    let (outcomes, closed) = tokio::join!(futures_util::future::join_all(waiting), redb.close());
    closed.unwrap();
    assert!(outcomes.into_iter().all(|outcome| outcome.unwrap() == Committed::Done));
    let late = redb.commit(batch(vec![put("late", "x")])).await;
    assert!(late.unwrap_err().to_string().contains("about to end"));
    assert!(redb.get(vec![b"x".to_vec()]).await.is_err());
    let again = Redb::open(&config, Arc::default()).unwrap();
    assert_eq!(everything(&again).await.unwrap().len(), 30);
}

#[tokio::test]
async fn its_files_are_its_owners_and_one_processs_at_a_time() {
    let home = TempDir::new().unwrap();
    let path = home.path().join("not/there");
    let mut config = config::Store { path: path.clone(), wait: Duration::from_millis(100), ..config::Store::default() };
    let redb = Redb::open(&config, Arc::default()).unwrap();
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&path), mode(&path.join("mortise.redb"))), (0o700, 0o600));
    for shared in [false, true] {
        config.shared = shared;
        let error = Redb::open(&config, Arc::default()).err().unwrap().to_string();
        assert!(error.contains("another process has") && error.contains("store.path"), "{error}");
    }
    redb.close().await.unwrap();
    let (one, other) = (Redb::open(&config, Arc::default()).unwrap(), Redb::open(&config, Arc::default()).unwrap());
    let new = |value: &str| Batch { expects: vec![Expect::Absent(b"k".to_vec())], ..batch(vec![put("k", value)]) };
    let (first, second) = tokio::join!(one.commit(new("one")), other.commit(new("other")));
    assert_ne!(first.unwrap(), second.unwrap(), "one of them");
    assert_eq!(everything(&one).await.unwrap(), everything(&other).await.unwrap());
}

#[tokio::test]
async fn who_waits_gets_the_database_when_it_is_let_go() {
    let home = TempDir::new().unwrap();
    let config =
        config::Store { path: home.path().join("data"), wait: Duration::from_secs(60), ..config::Store::default() };
    let redb = Redb::open(&config, Arc::default()).unwrap();
    assert_eq!(redb.commit(batch(vec![put("a", "1")])).await.unwrap(), Committed::Done);
    let later = tokio::task::spawn_blocking(move || Redb::open(&config, Arc::default()));
    redb.close().await.unwrap();
    assert_eq!(everything(&later.await.unwrap().unwrap()).await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_is_no_database_says_so() {
    let home = TempDir::new().unwrap();
    let config = config::Store { path: home.path().to_owned(), ..config::Store::default() };
    let file = home.path().join("mortise.redb");
    std::fs::write(&file, [7; 100_000]).unwrap();
    let error = Redb::open(&config, Arc::default()).err().unwrap();
    assert!(matches!(error, StoreError::Corrupt(_)), "{error}");
    assert!(error.to_string().contains("mortise store check"), "{error}");
    assert_eq!(std::fs::read(&file).unwrap(), [7; 100_000], "it was left alone");
}
