//! What the system tells of this process, under the names that Prometheus gives them.

use std::fmt::Error;
use std::fs;

use super::exposition::Exposition;
use super::families;

/// Writes what `/proc` tells; where there is none, nothing.
pub(super) fn write(out: &mut Exposition<'_>) -> Result<(), Error> {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let stat = read("/proc/self/stat");
    let ticks = rustix::param::clock_ticks_per_second() as f64;
    out.counter(&families::PROCESS_CPU, cpu(&stat).map(|used| ([], used / ticks)))?;
    // The descriptor that reads the directory is not counted.
    let open = fs::read_dir("/proc/self/fd").ok().map(|entries| (entries.count() as u64).saturating_sub(1));
    out.gauge(&families::PROCESS_OPEN_FDS, open.map(|open| ([], open)))?;
    out.gauge(&families::PROCESS_MAX_FDS, max_fds(&read("/proc/self/limits")).map(|most| ([], most)))?;
    out.gauge(&families::PROCESS_VIRTUAL, field(&stat, 23).map(|bytes| ([], bytes)))?;
    let page = rustix::param::page_size() as f64;
    out.gauge(&families::PROCESS_RESIDENT, field(&stat, 24).map(|pages| ([], pages * page)))?;
    let started = field(&stat, 22).zip(boot(&read("/proc/stat"))).map(|(since, boot)| boot + since / ticks);
    out.gauge(&families::PROCESS_START, started.map(|at| ([], at)))
}

/// The field of that number, as proc(5) counts them; the second one is a name that may hold anything.
fn field(stat: &str, number: usize) -> Option<f64> {
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_ascii_whitespace().nth(number.checked_sub(3)?)?.parse().ok()
}

fn cpu(stat: &str) -> Option<f64> {
    Some(field(stat, 14)? + field(stat, 15)?)
}

fn boot(stat: &str) -> Option<f64> {
    stat.lines().find_map(|line| line.strip_prefix("btime ")?.trim().parse().ok())
}

fn max_fds(limits: &str) -> Option<f64> {
    let soft = limits.lines().find_map(|line| line.strip_prefix("Max open files")?.split_ascii_whitespace().next())?;
    soft.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_counted_as_the_manual_counts_them() {
        let stat = "42 (a) b) c) S 1 2 3 4 5 6 7 8 9 10 250 50 0 0 20 0 7 0 12345 1048576 300 18446744073709551615";
        assert_eq!((cpu(stat), field(stat, 22)), (Some(300.0), Some(12345.0)));
        assert_eq!((field(stat, 23), field(stat, 24)), (Some(1_048_576.0), Some(300.0)));
        assert_eq!((cpu(""), field("x)", 22)), (None, None));
    }

    #[test]
    fn limits_and_boot() {
        let limits = "Limit                     Soft Limit           Hard Limit           Units\nMax open files            1024                 4096                 files\n";
        assert_eq!(max_fds(limits), Some(1024.0));
        assert_eq!(max_fds("Max open files            unlimited            unlimited            files"), None);
        assert_eq!(boot("cpu 1 2\nbtime 1700000000\n"), Some(1_700_000_000.0));
    }
}
