//! How fast the store is with every commit on disk, and how large; with a bare fsync beside it.
//!
//!     cargo bench --bench store [-- --directory DIR] [--messages N]
//!
//! The disk decides over most of this: compare ratios. Fails over the limits that stand at the end of `main`.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a bench takes the time, prints, and fails by panicking"
)]

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use mortise::config;
use mortise::store::engine::{Batch, Committed, Engine, Scan, Write as Change};
use mortise::store::redb::{Redb, compact};
use mortise::store::{Key, Space};

/// The program's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const MESSAGES: Space = Space(201);
const SESSIONS: Space = Space(202);

/// Messages of a session before its writer begins another.
const TALK: u64 = 20;
/// The next session's number: ids are made in the order of time.
static NEXT: AtomicU64 = AtomicU64::new(1_000_000);
/// So often each number of writers is tried; what counts is the median.
const ROUNDS: usize = 5;

/// Like what one says in a chat.
const TEXT: usize = 400;

fn main() {
    let mut directory = std::env::temp_dir().join(format!("mortise-bench-{}", std::process::id()));
    let mut messages = 1_000_000;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--directory" => directory = PathBuf::from(arguments.next().unwrap()).join("mortise-bench"),
            "--messages" => messages = arguments.next().unwrap().parse().unwrap(),
            _ => {}
        }
    }
    fs::create_dir_all(&directory).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let measured = runtime.block_on(all(&directory, messages));
    fs::remove_dir_all(&directory).unwrap();
    let Measured { ratio, last_page, list } = measured;
    assert!(ratio >= 20.0, "{ratio:.1} times as many appends as one at a time, at least 20 are wanted");
    assert!(last_page <= Duration::from_millis(1), "{last_page:?} for the last page, at most 1 ms is wanted");
    assert!(list <= Duration::from_millis(1), "{list:?} for 20 sessions, at most 1 ms is wanted");
}

struct Measured {
    ratio: f64,
    last_page: Duration,
    list: Duration,
}

async fn all(directory: &Path, messages: u64) -> Measured {
    let sync = sync(directory);
    println!("one append to a file and fdatasync: {sync:?}, {:.0} a second", 1.0 / sync.as_secs_f64());
    let config = config::Store { path: directory.join("data"), ..config::Store::default() };
    let begun = Instant::now();
    let redb = Arc::new(Redb::open(&config, Arc::default()).unwrap());
    println!("a new store: {:?}; {}", begun.elapsed(), memory());
    // One writer alone: each of its appends is a commit of its own, with one sync. Disks change their minds: a round is compared
    // with itself.
    let mut rounds = [16, 64, 256, 512].map(|writers| (writers, Vec::new()));
    for _ in 0..ROUNDS {
        let (alone, _) = appends(&redb, 1).await;
        for (writers, rounds) in &mut rounds {
            let (rate, slowest) = appends(&redb, *writers).await;
            rounds.push((rate / alone, rate, alone, slowest));
        }
    }
    let mut ratio = 0.0_f64;
    for (writers, mut rounds) in rounds {
        rounds.sort_by(|(one, ..), (other, ..)| one.total_cmp(other));
        let (times, rate, alone, slowest) = rounds.swap_remove(ROUNDS / 2);
        ratio = ratio.max(times);
        println!(
            "{writers:>4} writers: {rate:>6.0} appends a second, {times:.1} times as many as with a sync each ({alone:.0}), {:.1} as \
             bare syncs; slowest {slowest:?}",
            rate * sync.as_secs_f64()
        );
    }
    let begun = Instant::now();
    fill(&redb, messages).await;
    println!("{messages} messages of {TEXT} bytes in {:?}; {}; {} on disk", begun.elapsed(), memory(), size(&config));
    let last_page =
        reads(&redb, MESSAGES.key().number(7).within_before(&MESSAGES.key().number(7).number(u64::MAX)), true).await;
    println!("the last 50 messages of a session of 100000: {last_page:?}");
    let list = reads(&redb, Key::within(&SESSIONS.key()), true).await;
    println!("the newest of 100000 sessions: {list:?}");
    let (rate, _) = appends(&redb, 256).await;
    println!(" 256 writers, now: {rate:>6.0} appends a second; {}", memory());
    let begun = Instant::now();
    redb.close().await.unwrap();
    drop(redb);
    let closed = begun.elapsed();
    let begun = Instant::now();
    let redb = Redb::open(&config, Arc::default()).unwrap();
    println!("closed in {closed:?}, opened in {:?}", begun.elapsed());
    // As after a crash: nobody has closed the copy.
    let copy = config::Store { path: directory.join("copy"), ..config.clone() };
    fs::create_dir(&copy.path).unwrap();
    fs::copy(config.path.join("mortise.redb"), copy.path.join("mortise.redb")).unwrap();
    redb.close().await.unwrap();
    let begun = Instant::now();
    Redb::open(&copy, Arc::default()).unwrap().close().await.unwrap();
    println!("opened after a crash in {:?}; {}", begun.elapsed(), memory());
    let begun = Instant::now();
    let (before, after) = compact(&config).unwrap();
    println!("compacted from {} MiB to {} MiB in {:?}", before >> 20, after >> 20, begun.elapsed());
    Measured { ratio, last_page, list }
}

/// What one append costs that is synced alone.
fn sync(directory: &Path) -> Duration {
    let mut file = File::create(directory.join("sync")).unwrap();
    let begun = Instant::now();
    for _ in 0..200 {
        file.write_all(&[7; 4096]).unwrap();
        file.sync_data().unwrap();
    }
    begun.elapsed() / 200
}

/// A message behind the others of its session, and the session behind them counts it.
fn append(session: u64, number: u64) -> Batch {
    let text = format!("\u{1}{{\"role\":\"user\",\"content\":\"{}\"}}", "word ".repeat(TEXT / 5));
    let put = Change::Put(MESSAGES.key().number(session).number(number).into(), text.into_bytes());
    Batch {
        writes: vec![put, Change::Add(MESSAGES.key().number(session).number(u64::MAX).into(), 1)],
        ..Batch::default()
    }
}

/// So many write at once, each when the last of its own is on disk, and each in a session of its own.
async fn appends(redb: &Arc<Redb>, writers: u64) -> (f64, Duration) {
    let begun = Instant::now();
    let each = 2000 / writers.clamp(10, 50);
    let one = |writer: u64| {
        let redb = redb.clone();
        tokio::spawn(async move {
            let mut slowest = Duration::ZERO;
            let mut session = 0;
            for number in 0..each {
                if number % TALK == 0 {
                    session = NEXT.fetch_add(1, Ordering::Relaxed);
                }
                let begun = Instant::now();
                assert_eq!(redb.commit(append(session, number)).await.unwrap(), Committed::Done, "{writer}");
                slowest = slowest.max(begun.elapsed());
            }
            slowest
        })
    };
    let tasks: Vec<_> = (0..writers).map(one).collect();
    let mut slowest = Duration::ZERO;
    for task in tasks {
        slowest = slowest.max(task.await.unwrap());
    }
    let count = u32::try_from(writers * each).unwrap();
    (f64::from(count) / begun.elapsed().as_secs_f64(), slowest)
}

/// One session of 100000 messages, the others in short ones, in the order in which people talk; and 100000 sessions.
async fn fill(redb: &Redb, messages: u64) {
    let mut next = 0;
    while next < messages {
        let mut batch = Batch::default();
        for number in next..(next + 2000).min(messages) {
            let session = if number % (messages / 100_000).max(1) == 0 { 7 } else { 100 + fastrand::u64(..100_000) };
            batch.writes.extend(append(session, number).writes);
        }
        next += 2000;
        assert_eq!(redb.commit(batch).await.unwrap(), Committed::Done);
    }
    for chunk in 0..100 {
        let mut batch = Batch::default();
        for number in chunk * 1000..(chunk + 1) * 1000_u64 {
            let record = format!(
                "\u{1}{{\"title\":\"session {number}\",\"status\":\"active\",\"rest\":\"{}\"}}",
                "x".repeat(300)
            );
            batch.writes.push(Change::Put(SESSIONS.key().number(number).into(), record.into_bytes()));
        }
        assert_eq!(redb.commit(batch).await.unwrap(), Committed::Done);
    }
}

async fn reads(redb: &Redb, range: std::ops::Range<Vec<u8>>, backwards: bool) -> Duration {
    let limit = if backwards { 50 } else { 20 };
    let begun = Instant::now();
    for _ in 0..500 {
        let found = redb.scan(Scan { range: range.clone(), backwards, limit }).await.unwrap();
        assert_eq!(found.len(), limit);
    }
    begun.elapsed() / 500
}

fn size(config: &config::Store) -> String {
    format!("{} MiB", fs::metadata(config.path.join("mortise.redb")).unwrap().len() >> 20)
}

fn memory() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line =
        |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim().to_owned();
    format!("memory {} (at most {})", line("VmRSS:"), line("VmHWM:"))
}
