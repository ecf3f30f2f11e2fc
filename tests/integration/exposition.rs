//! Prometheus' text format, read as strictly as it is specified: what this takes, every scraper takes.

use std::collections::{BTreeMap, BTreeSet};

type Labels = BTreeMap<String, String>;

/// A whole exposition that has passed every check.
#[derive(Debug, Default)]
pub struct Exposition {
    /// The types of the families, by name.
    pub kinds: BTreeMap<String, String>,
    samples: BTreeMap<(String, Labels), f64>,
}

impl Exposition {
    /// Reads version 0.0.4.
    #[track_caller]
    pub fn parse(text: &str) -> Exposition {
        check(text).unwrap_or_else(|fault| panic!("{fault}\n{text}"))
    }

    /// The sample of that name with these labels and no others.
    pub fn get(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let labels = labels.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        self.samples.get(&(name.to_owned(), labels)).copied()
    }

    /// The values that a label has in the samples of that name.
    pub fn values(&self, name: &str, label: &str) -> BTreeSet<&str> {
        let named = self.samples.keys().filter(|(known, _)| known == name);
        named.filter_map(|(_, labels)| labels.get(label).map(String::as_str)).collect()
    }

    /// The sum of all samples of that name.
    pub fn sum(&self, name: &str) -> f64 {
        self.samples.iter().filter(|((known, _), _)| known == name).map(|(_, value)| value).sum()
    }

    /// Fails if a counter or a bucket has become less since `before`, or is gone.
    #[track_caller]
    pub fn follows(&self, before: &Exposition) {
        for (series, value) in &before.samples {
            let family = family_of(&series.0, &before.kinds).expect("a family");
            if before.kinds[family] != "gauge" {
                let now = self.samples.get(series).unwrap_or_else(|| panic!("{series:?} is gone"));
                assert!(now >= value, "{series:?} fell from {value} to {now}");
            }
        }
    }
}

/// The family that a sample belongs to.
fn family_of<'k>(sample: &str, kinds: &'k BTreeMap<String, String>) -> Option<&'k str> {
    let fits = |family: &str, kind: &str| match kind {
        "histogram" => sample.strip_prefix(family).is_some_and(|rest| ["_bucket", "_sum", "_count"].contains(&rest)),
        _ => family == sample,
    };
    kinds.iter().find(|(family, kind)| fits(family, kind)).map(|(family, _)| family.as_str())
}

fn check(text: &str) -> Result<Exposition, String> {
    let mut found = Exposition::default();
    let (mut current, mut helped) = (None::<String>, None::<String>);
    if !text.ends_with('\n') || text.contains('\r') || text.contains("\n\n") {
        return Err("lines end with a line feed, and none is empty".into());
    }
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').ok_or(format!("no help: {line}"))?;
            let known = found.kinds.contains_key(name);
            if known || help.trim().is_empty() || helped.replace(name.to_owned()).is_some() {
                return Err(format!("a second or empty help: {line}"));
            }
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').ok_or(format!("no type: {line}"))?;
            if helped.take().as_deref() != Some(name) || !["counter", "gauge", "histogram"].contains(&kind) {
                return Err(format!("a type without help, or a strange one: {line}"));
            }
            if (kind == "counter") != name.ends_with("_total") {
                return Err(format!("counters, and only they, end with _total: {line}"));
            }
            if !is_name(name) || found.kinds.insert(name.to_owned(), kind.to_owned()).is_some() {
                return Err(format!("a second type, or no name: {line}"));
            }
            current = Some(name.to_owned());
        } else if line.starts_with('#') {
            return Err(format!("neither help nor type: {line}"));
        } else {
            let (name, labels, value) = sample(line).ok_or(format!("no sample: {line}"))?;
            if helped.is_some() || family_of(&name, &found.kinds) != current.as_deref() {
                return Err(format!("a sample outside of its family: {line}"));
            }
            if !name.ends_with("_open") && value < 0.0 || !value.is_finite() {
                return Err(format!("a value that none can be: {line}"));
            }
            if found.samples.insert((name, labels), value).is_some() {
                return Err(format!("a series twice: {line}"));
            }
        }
    }
    for (family, _) in found.kinds.iter().filter(|(_, kind)| *kind == "histogram") {
        histogram(family, &found)?;
    }
    let empty = found
        .kinds
        .keys()
        .find(|family| !found.samples.keys().any(|(name, _)| family_of(name, &found.kinds) == Some(family.as_str())));
    empty.map_or(Ok(()), |family| Err(format!("{family} has no samples")))?;
    Ok(found)
}

/// Buckets rise, are cumulative, end with infinity, and agree with the count.
fn histogram(family: &str, found: &Exposition) -> Result<(), String> {
    let mut series: BTreeMap<Labels, Vec<(f64, f64)>> = BTreeMap::new();
    for ((_, labels), value) in found.samples.iter().filter(|((name, _), _)| *name == format!("{family}_bucket")) {
        let mut labels = labels.clone();
        let bound = match labels.remove("le").as_deref() {
            Some("+Inf") => f64::INFINITY,
            bound => bound.and_then(|bound| bound.parse().ok()).ok_or(format!("{family}: a bucket without a bound"))?,
        };
        series.entry(labels).or_default().push((bound, *value));
    }
    let whole = |suffix: &str, labels: &Labels| found.samples.get(&(format!("{family}_{suffix}"), labels.clone()));
    let counts = found.samples.keys().filter(|(name, _)| *name == format!("{family}_count")).count();
    for (labels, mut buckets) in series.clone() {
        buckets.sort_by(|one, other| one.0.total_cmp(&other.0));
        let rises = buckets.windows(2).all(|pair| pair[0].1 <= pair[1].1);
        let last = buckets.last().filter(|last| last.0.is_infinite()).map(|last| last.1);
        if !rises || last.is_none() || last != whole("count", &labels).copied() || whole("sum", &labels).is_none() {
            return Err(format!("{family}{labels:?} contradicts itself: {buckets:?}"));
        }
    }
    if counts == series.len() { Ok(()) } else { Err(format!("{family}: counts without buckets")) }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte == b'_' || byte.is_ascii_lowercase() || byte.is_ascii_digit())
}

fn sample(line: &str) -> Option<(String, Labels, f64)> {
    let end = line.find(['{', ' '])?;
    let (name, mut rest) = line.split_at(end);
    let mut labels = Labels::new();
    if let Some(mut inside) = rest.strip_prefix('{') {
        loop {
            let (label, after) = inside.split_once("=\"")?;
            let (value, after) = quoted(after)?;
            if !is_name(label) || labels.insert(label.to_owned(), value).is_some() {
                return None;
            }
            match after.strip_prefix(',') {
                Some(more) => inside = more,
                None => {
                    rest = after.strip_prefix('}')?;
                    break;
                }
            }
        }
    }
    let value = rest.strip_prefix(' ')?.parse().ok()?;
    is_name(name).then(|| (name.to_owned(), labels, value))
}

/// A value up to its closing quote, and what comes after it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut letters = text.char_indices();
    while let Some((index, letter)) = letters.next() {
        match letter {
            '"' => return Some((value, &text[index + 1..])),
            '\\' => value.push(match letters.next()?.1 {
                'n' => '\n',
                escaped @ ('"' | '\\') => escaped,
                _ => return None,
            }),
            other => value.push(other),
        }
    }
    None
}

#[test]
fn faults_are_found() {
    let good = "# HELP a_total Words.\n# TYPE a_total counter\na_total{x=\"1,\\\"}\"} 1\n# HELP h Words.\n# TYPE h histogram\nh_bucket{le=\"0.1\"} 1\nh_bucket{le=\"+Inf\"} 2\nh_sum 3.5\nh_count 2\n";
    let read = Exposition::parse(good);
    assert_eq!((read.get("a_total", &[("x", "1,\"}")]), read.sum("h_sum")), (Some(1.0), 3.5));
    for (from, to) in [
        ("# HELP a_total Words.\n", ""),
        ("# TYPE a_total counter\n", ""),
        ("a_total counter", "a_total gauge"),
        ("# TYPE h", "# UNIT h"),
        ("a_total{x=\"1,\\\"}\"} 1\n", ""),
        ("a_total{x=\"1,\\\"}\"} 1\n", "a_total 1\na_total 1\n"),
        ("a_total{x=\"1,\\\"}\"} 1", "a_total -1"),
        ("a_total{x=\"1,\\\"}\"} 1", "b_total 1"),
        ("a_total{x=\"1,\\\"}\"} 1", "a_total{} 1"),
        ("le=\"0.1\"} 1", "le=\"0.1\"} 3"),
        ("h_count 2", "h_count 3"),
        ("h_bucket{le=\"+Inf\"} 2\n", ""),
        ("h_sum 3.5\n", ""),
        ("h_count 2\n", "h_count 2"),
    ] {
        assert!(good.contains(from), "{from}");
        assert!(check(&good.replacen(from, to, 1)).is_err(), "{from:?} -> {to:?}");
    }
}
