//! Metrics as text: OpenMetrics, and the older format of Prometheus that is made of it.

use std::fmt::{Error, Write};

use prometheus_client::encoding::{DescriptorEncoder, EncodeCounterValue, EncodeGaugeValue, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Unit;

use super::families::Family;
use super::histogram::Reading;

/// The format that a scraper asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Version 0.0.4, which everything reads.
    Prometheus,
    /// Version 1.0.0.
    OpenMetrics,
}

/// Writes families one by one.
pub(super) struct Exposition<'e>(pub(super) DescriptorEncoder<'e>);

// === impl Format ===

impl Format {
    /// What `accept` prefers; the older one where it doesn't say.
    pub fn of(accept: &str) -> Self {
        let (mut open, mut plain) = (0.0, 0.0);
        for offer in accept.split(',') {
            let mut parts = offer.split(';').map(str::trim);
            let kind = parts.next().unwrap_or_default();
            let quality = parts.find_map(|part| part.strip_prefix("q=")?.trim().parse().ok()).unwrap_or(1.0_f32);
            match kind {
                "application/openmetrics-text" => open = quality.max(open),
                "text/plain" | "text/*" | "*/*" => plain = quality.max(plain),
                _ => {}
            }
        }
        if open > 0.0 && open >= plain { Self::OpenMetrics } else { Self::Prometheus }
    }

    /// The content type of what [`Format::of`] chose.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

// === impl Exposition ===

impl Exposition<'_> {
    /// A counter's samples, each with the values of the family's labels.
    pub(super) fn counter<V: EncodeCounterValue, const N: usize>(
        &mut self,
        family: &Family,
        samples: impl IntoIterator<Item = ([String; N], V)>,
    ) -> Result<(), Error> {
        self.family(family, MetricType::Counter, samples, |metric, value| {
            metric.encode_counter::<NoLabelSet, V, f64>(&value, None)
        })
    }

    /// A gauge's samples.
    pub(super) fn gauge<V: EncodeGaugeValue, const N: usize>(
        &mut self,
        family: &Family,
        samples: impl IntoIterator<Item = ([String; N], V)>,
    ) -> Result<(), Error> {
        self.family(family, MetricType::Gauge, samples, |metric, value| metric.encode_gauge(&value))
    }

    /// Histograms.
    pub(super) fn histogram<const N: usize>(
        &mut self,
        family: &Family,
        samples: impl IntoIterator<Item = ([String; N], Reading)>,
    ) -> Result<(), Error> {
        self.family(family, MetricType::Histogram, samples, |metric, reading| {
            metric.encode_histogram::<NoLabelSet>(reading.sum, reading.count, &reading.buckets, None)
        })
    }

    /// The family, unless it has no samples.
    fn family<V, const N: usize>(
        &mut self,
        family: &Family,
        kind: MetricType,
        samples: impl IntoIterator<Item = ([String; N], V)>,
        write: impl Fn(&mut MetricEncoder<'_>, V) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut samples = samples.into_iter().peekable();
        if samples.peek().is_none() {
            return Ok(());
        }
        // The encoder puts the unit and `_total` back on.
        let base = family.name.strip_suffix("_total").unwrap_or(family.name);
        let unit = family.unit.map(|unit| Unit::Other(unit.to_owned()));
        let base = family.unit.and_then(|unit| base.strip_suffix(unit)?.strip_suffix('_')).unwrap_or(base);
        let mut metric = self.0.encode_descriptor(base, family.help, unit.as_ref(), kind)?;
        for (values, value) in samples {
            let labels: Vec<(&str, &str)> =
                family.labels.iter().copied().zip(values.iter().map(String::as_str)).collect();
            // A set of no labels would be written as `{}`.
            match labels.as_slice() {
                [] => write(&mut metric, value)?,
                labels => write(&mut metric.encode_family(&labels)?, value)?,
            }
        }
        Ok(())
    }
}

/// OpenMetrics as the older format: a counter's family bears the name of its samples, and there is neither unit nor end.
pub(super) fn downgrade(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut help = None;
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            // The type, which comes next, says what the name is.
            help = rest.split_once(' ');
        } else if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' ')) {
            let suffix = if kind == "counter" { "_total" } else { "" };
            let words = help.take().map_or("", |(_, words)| words);
            // Writing to a string can't fail.
            let _ = write!(out, "# HELP {name}{suffix} {words}\n# TYPE {name}{suffix} {kind}\n");
        } else if !line.starts_with('#') {
            out.push_str(line);
            out.push('\n');
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scraper_gets_what_it_prefers() {
        for (accept, format) in [
            ("", Format::Prometheus),
            ("*/*", Format::Prometheus),
            ("text/html", Format::Prometheus),
            ("application/openmetrics-text", Format::OpenMetrics),
            (
                "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.4,*/*;q=0.1",
                Format::OpenMetrics,
            ),
            ("application/openmetrics-text;q=0.3, text/plain;q=0.9", Format::Prometheus),
            ("application/openmetrics-text;q=0", Format::Prometheus),
        ] {
            assert_eq!(Format::of(accept), format, "{accept}");
        }
    }

    #[test]
    fn counters_are_named_alike_in_family_and_sample() {
        let open = "# HELP a_usd Words.\n# TYPE a_usd counter\n# UNIT a_usd usd\na_usd_total{x=\"# no comment\"} 1.0\n# HELP b Words.\n# TYPE b gauge\nb 2\n# EOF\n";
        let plain = "# HELP a_usd_total Words.\n# TYPE a_usd_total counter\na_usd_total{x=\"# no comment\"} 1.0\n# HELP b Words.\n# TYPE b gauge\nb 2\n";
        assert_eq!(downgrade(open), plain);
    }
}
