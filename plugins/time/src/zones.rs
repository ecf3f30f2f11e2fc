//! Reading zones and times as people and models write them.

use jiff::civil::{Date, DateTime};
use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, Zoned};

/// A zone: a name of the IANA database, `UTC`, or an offset such as `+02:00`.
pub(crate) fn zone(name: Option<&str>) -> Result<TimeZone, String> {
    let name = name.map_or("UTC", str::trim);
    if name.eq_ignore_ascii_case("utc") || name.eq_ignore_ascii_case("z") {
        return Ok(TimeZone::UTC);
    }
    if let Some(offset) = offset(name) {
        return Ok(TimeZone::fixed(offset));
    }
    TimeZone::get(name).map_err(|_| {
        format!("there is no time zone `{name}`; give a name such as Europe/Berlin, or an offset such as +02:00")
    })
}

fn offset(text: &str) -> Option<Offset> {
    let (sign, digits) = match text.strip_prefix('+') {
        Some(digits) => (1, digits),
        None => (-1, text.strip_prefix('-')?),
    };
    let (hours, minutes) = match digits.split_once(':') {
        Some(parts) => parts,
        None if digits.len() == 4 => digits.split_at_checked(2)?,
        None => (digits, "0"),
    };
    let fits = |part: &str| (1..=2).contains(&part.len()) && part.chars().all(|c| c.is_ascii_digit());
    if !fits(hours) || !fits(minutes) {
        return None;
    }
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    (hours <= 18 && minutes < 60).then(|| Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok())?
}

/// A time: with a zone or an offset of its own, a number of seconds since 1970, or else one of the zone given.
pub(crate) fn time(text: &str, zone: &TimeZone) -> Result<Zoned, String> {
    let text = text.trim();
    let bad =
        || format!("`{text}` is no time; write it like 2026-03-29T02:30:00+01:00, 2026-03-29 02:30 or 2026-03-29");
    if text.len() > 100 {
        return Err("the time is too long to be one".to_owned());
    }
    if let Ok(seconds) = text.parse::<i64>() {
        return Timestamp::from_second(seconds).map(|time| time.to_zoned(zone.clone())).map_err(|_| bad());
    }
    if let Ok(zoned) = text.parse::<Zoned>() {
        return Ok(zoned);
    }
    // With an offset, in the zone of that offset: it is what the text says.
    if let Ok(time) = text.parse::<Timestamp>() {
        let own = own_offset(text).map_or(TimeZone::UTC, TimeZone::fixed);
        return Ok(time.to_zoned(own));
    }
    let civil = text.parse::<DateTime>().or_else(|_| text.parse::<Date>().map(|date| date.at(0, 0, 0, 0)));
    civil.and_then(|civil| civil.to_zoned(zone.clone())).map_err(|_| bad())
}

/// The offset behind the time of day.
fn own_offset(text: &str) -> Option<Offset> {
    let from = text.rfind(['+', '-'])?;
    offset(text.get(from..)?)
}
