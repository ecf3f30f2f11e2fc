//! The tools, called as the host calls them.

use mortise_sdk::testing::tool::Host;
use serde_json::{Value, json};

use crate::toolbox::Time;

fn call(name: &str, arguments: Value) -> Result<(String, Value), String> {
    let answer = Host::new().call::<Time>(name, arguments);
    answer.map(|answer| (answer.text, answer.json)).map_err(|error| error.message)
}

#[test]
fn the_time_is_told_in_any_zone() {
    for zone in
        [json!({}), json!({"timezone": "Asia/Tokyo"}), json!({"timezone": "-03:30"}), json!({"timezone": "utc"})]
    {
        let (text, told) = call("current_time", zone).unwrap();
        let unix = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs();
        assert!(unix.abs_diff(told["unix"].as_u64().unwrap()) <= 5, "{text}");
    }
    assert_eq!(call("current_time", json!({"timezone": "Asia/Tokyo"})).unwrap().1["timezone"], "Asia/Tokyo");
}

#[test]
fn a_time_is_told_elsewhere() {
    for (arguments, text) in [
        (
            json!({"time": "2026-03-29T00:59:59Z", "timezone": "Europe/Berlin"}),
            "Sunday, 2026-03-29T01:59:59+01:00 (Europe/Berlin)",
        ),
        (
            json!({"time": "2026-03-29T01:00:00Z", "timezone": "Europe/Berlin"}),
            "Sunday, 2026-03-29T03:00:00+02:00 (Europe/Berlin)",
        ),
        (
            json!({"time": "2026-11-28 23:00", "from_timezone": "America/New_York", "to_timezone": "+05:30"}),
            "Sunday, 2026-11-29T09:30:00+05:30 (+05:30)",
        ),
        (json!({"time": "2026-01-01", "timezone": "UTC"}), "Thursday, 2026-01-01T00:00:00+00:00 (UTC)"),
        (json!({"time": "0", "timezone": "UTC"}), "Thursday, 1970-01-01T00:00:00+00:00 (UTC)"),
        (
            json!({"time": "2026-01-01T00:00[Asia/Tokyo]", "timezone": "UTC"}),
            "Wednesday, 2025-12-31T15:00:00+00:00 (UTC)",
        ),
    ] {
        assert_eq!(call("convert_time", arguments).unwrap().0, text);
    }
}

#[test]
fn what_lies_between_is_told() {
    let (text, between) = call("time_difference", json!({"from": "2026-01-31", "to": "2026-03-01T12:00:00Z"})).unwrap();
    assert_eq!(text, "1mo 1d 12h (2548800 seconds)");
    assert_eq!(between["duration"], "P1M1DT12H");
    let (_, back) = call("time_difference", json!({"from": "2026-01-02", "to": "2026-01-01"})).unwrap();
    assert_eq!(back["seconds"], -86400);
    // The day on which the clocks go forward has 23 hours.
    let (_, short) =
        call("time_difference", json!({"from": "2026-03-29", "to": "2026-03-30", "timezone": "Europe/Berlin"}))
            .unwrap();
    assert_eq!((&short["seconds"], &short["duration"]), (&json!(82_800), &json!("P1D")));
    assert!(call("time_difference", json!({"from": "2020-01-01"})).unwrap().1["seconds"].as_i64().unwrap() > 0);
}

#[test]
fn what_is_no_time_is_refused() {
    for (arguments, says) in [
        (json!({"time": "soon", "timezone": "UTC"}), "`soon` is no time; write it like"),
        (json!({"time": "", "timezone": "UTC"}), "`` is no time; write it like"),
        (json!({"time": "2026-02-30", "timezone": "UTC"}), "`2026-02-30` is no time"),
        (json!({"time": "9".repeat(18), "timezone": "UTC"}), "`999999999999999999` is no time"),
        (json!({"time": "9".repeat(200), "timezone": "UTC"}), "the time is too long to be one"),
        (json!({"time": "0", "timezone": "Mars/Olympus"}), "there is no time zone `Mars/Olympus`"),
        (json!({"time": "0", "timezone": "../../etc/passwd"}), "there is no time zone `../../etc/passwd`"),
        (json!({"time": "0", "timezone": "+99:00"}), "there is no time zone `+99:00`"),
        (json!({"timezone": "UTC"}), "arguments: missing field `time`"),
    ] {
        let error = call("convert_time", arguments).unwrap_err();
        assert!(error.starts_with(says), "{error}");
    }
}
