//! The tools and what is said of them.

use jiff::tz::TimeZone;
use jiff::{Timestamp, Unit, Zoned, ZonedDifference};
use mortise_sdk::tool::{Call, Error, NoSettings, Reply, Tool, Toolbox};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::zones::{time, zone};

pub(crate) struct Time;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Now {
    /// A name such as `Europe/Berlin`, or an offset such as `+02:00`; UTC by default.
    timezone: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Convert {
    /// The time, such as `2026-03-29T14:30:00`; with an offset of its own, or in from_timezone.
    time: String,
    /// The zone to tell it in.
    #[serde(alias = "to_timezone")]
    #[schemars(extend("x-aliases" = ["to_timezone"]))]
    timezone: String,
    /// The zone of a time that says none itself; UTC by default.
    from_timezone: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Difference {
    /// The first time; now if it is left out.
    from: Option<String>,
    /// The second time; now if it is left out.
    to: Option<String>,
    /// The zone of times that say none themselves; UTC by default.
    timezone: Option<String>,
}

#[derive(Serialize, JsonSchema)]
struct Told {
    /// With the zone's offset.
    time: String,
    timezone: String,
    weekday: String,
    /// Seconds since 1970.
    unix: i64,
    /// ISO's week of the year.
    week: i8,
}

#[derive(Serialize, JsonSchema)]
struct Between {
    from: String,
    to: String,
    /// Negative where the second time comes first.
    seconds: i64,
    /// As ISO writes it, in years to seconds.
    duration: String,
}

impl Toolbox for Time {
    type Settings = NoSettings;

    fn tools() -> Vec<Tool<NoSettings>> {
        let tools = vec![
            Tool::new("current_time", "Tells the date, the time and the weekday now, in any time zone.", current)
                .title("Current time")
                .returns::<Told>(),
            Tool::new("convert_time", "Tells a time in another time zone.", convert)
                .title("Convert a time")
                .returns::<Told>(),
            Tool::new("time_difference", "Tells how much time lies between two times.", difference)
                .title("Difference of times")
                .returns::<Between>(),
        ];
        tools.into_iter().map(|tool| tool.category("utilities").read_only()).collect()
    }
}

#[expect(clippy::disallowed_methods, reason = "telling the time is what it is for; the sandbox gives it")]
fn now() -> Timestamp {
    Timestamp::now()
}

fn current(arguments: Now, _: &Call<NoSettings>) -> Result<Reply, Error> {
    let zone = zone(arguments.timezone.as_deref()).map_err(Error::invalid)?;
    Ok(tell(&now().to_zoned(zone)))
}

fn convert(arguments: Convert, _: &Call<NoSettings>) -> Result<Reply, Error> {
    let from = zone(arguments.from_timezone.as_deref()).map_err(Error::invalid)?;
    let to = zone(Some(&arguments.timezone)).map_err(Error::invalid)?;
    let time = time(&arguments.time, &from).map_err(Error::invalid)?;
    Ok(tell(&time.with_time_zone(to)))
}

fn difference(arguments: Difference, _: &Call<NoSettings>) -> Result<Reply, Error> {
    let zone = zone(arguments.timezone.as_deref()).map_err(Error::invalid)?;
    let read = |text: Option<&str>, zone: &TimeZone| match text {
        Some(text) => time(text, zone),
        None => Ok(now().to_zoned(zone.clone())),
    };
    let from = read(arguments.from.as_deref(), &zone).map_err(Error::invalid)?;
    let to = read(arguments.to.as_deref(), &zone).map_err(Error::invalid)?;
    let to = to.with_time_zone(from.time_zone().clone());
    let span = from
        .until(ZonedDifference::new(&to).largest(Unit::Year).smallest(Unit::Second))
        .map_err(|error| Error::failed(error.to_string()))?;
    let seconds = to.timestamp().as_second() - from.timestamp().as_second();
    let between = Between { from: written(&from), to: written(&to), seconds, duration: span.to_string() };
    Ok(Reply::text(format!("{span:#} ({seconds} seconds)")).with(&between))
}

fn tell(time: &Zoned) -> Reply {
    let timezone = time.time_zone().iana_name().map_or_else(|| time.offset().to_string(), str::to_owned);
    let weekday = format!("{:?}", time.weekday());
    let told = Told {
        time: written(time),
        timezone: timezone.clone(),
        weekday: weekday.clone(),
        unix: time.timestamp().as_second(),
        week: time.date().iso_week_date().week(),
    };
    Reply::text(format!("{weekday}, {} ({timezone})", told.time)).with(&told)
}

/// In seconds, with the offset and without the zone's name.
fn written(time: &Zoned) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}
