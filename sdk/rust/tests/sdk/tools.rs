//! A toolbox, called as the host calls it: schemas, errors, and what a tool reaches through the host.

use std::collections::BTreeMap;

use mortise_sdk::testing::tool::Host;
use mortise_sdk::tool::fetch::{Failure, Request, Response, Url, send};
use mortise_sdk::tool::process::{self, Command, Finished};
use mortise_sdk::tool::{Call, Error, ErrorKind, Reply, Tool, Toolbox, kv, progress};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

struct Kit;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Settings {
    greeting: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self { greeting: "hello".to_owned() }
    }
}

/// Not shown: a tool has its own description.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Greeting {
    /// Who is greeted.
    #[serde(alias = "who")]
    #[schemars(extend("x-aliases" = ["who"]))]
    name: String,
    /// How often.
    #[schemars(range(min = 1, max = 3))]
    times: Option<u32>,
    style: Option<Style>,
    extra: Option<Nested>,
    #[serde(default)]
    loud: bool,
}

#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Style {
    Plain,
    Formal,
}

#[derive(Deserialize, JsonSchema)]
struct Nested {
    /// Any number.
    factor: Option<f64>,
    map: Option<BTreeMap<String, u8>>,
}

#[derive(Serialize, JsonSchema)]
struct Greeted {
    text: String,
    loud: Option<bool>,
}

#[derive(Deserialize, JsonSchema)]
struct Nothing {}

#[derive(Deserialize, JsonSchema)]
struct Address {
    url: String,
}

impl Toolbox for Kit {
    type Settings = Settings;

    fn tools() -> Vec<Tool<Settings>> {
        vec![
            Tool::new("greet", "Greets.", greet).title("Greet").category("manners").returns::<Greeted>().read_only(),
            Tool::new("count", "Counts its calls.", count).idempotent().destructive(),
            Tool::new("look", "Looks.", |Address { url }: Address, _: &Call<Settings>| {
                let response = send(
                    Request::new("POST", Url::parse(&url)?).header("Authorization", "x").header("Content-Type", "y"),
                )?;
                Ok(format!("{} {}", response.status, response.url))
            })
            .open_world(),
            Tool::new("who", "Says whose call it is.", |_: Nothing, call: &Call<Settings>| {
                Ok(Reply::text(format!("{:?} {:?} {}", call.session, call.run, call.id)))
            }),
            Tool::new("run", "Runs true.", |_: Nothing, _: &Call<Settings>| {
                let finished = process::run(&Command::new("true", ["--help"]))
                    .map_err(|error| Error::denied(error.to_string()))?;
                Ok(Reply::text(finished.text()).and_text(finished.errors()))
            }),
        ]
    }
}

fn greet(arguments: Greeting, call: &Call<Settings>) -> Result<Reply, Error> {
    let formal = matches!(arguments.style, Some(Style::Formal));
    let factor =
        arguments.extra.and_then(|extra| extra.factor.or(extra.map.map(|map| map.len() as f64))).unwrap_or(1.0);
    let name = if formal { format!("dear {}", arguments.name) } else { arguments.name };
    let text = format!("{} {name} {}x{factor}", call.settings.greeting, arguments.times.unwrap_or(1));
    Ok(Reply::text(&*text).with(&Greeted { text, loud: arguments.loud.then_some(true) }))
}

fn count(_: Nothing, _: &Call<Settings>) -> Result<String, Error> {
    let before = kv::get("count")?.map_or(0, |bytes| bytes.len());
    kv::set("count", &vec![0; before + 1])?;
    progress::report(Some(0.5), "half");
    let kept = kv::keys("", None, 10)?;
    if before == 1 {
        kv::delete("count")?;
    }
    Ok(format!("{before} {kept:?}"))
}

#[test]
fn a_schema_is_made_of_the_arguments() {
    let specs = Host::new().list::<Kit>().unwrap();
    let schema: Value = serde_json::from_str(&specs[0].input_schema).unwrap();
    assert_eq!(
        schema,
        json!({
            "type": "object",
            "additionalProperties": false,
            "required": ["name"],
            "properties": {
                "name": {"type": "string", "description": "Who is greeted.", "x-aliases": ["who"]},
                "times": {"type": "integer", "minimum": 1, "maximum": 3, "description": "How often."},
                "style": {"type": "string", "enum": ["plain", "formal"]},
                "extra": {
                    "type": "object",
                    "properties": {
                        "factor": {"type": "number", "description": "Any number."},
                        "map": {"type": "object", "additionalProperties": {"type": "integer", "minimum": 0, "maximum": 255}},
                    },
                },
                "loud": {"type": "boolean", "default": false},
            },
        })
    );
    let output: Value = serde_json::from_str(specs[0].output_schema.as_deref().unwrap()).unwrap();
    assert_eq!(output["required"], json!(["text", "loud"]));
    assert_eq!(output["properties"]["loud"]["type"], json!(["boolean", "null"]));
    let nothing: Value = serde_json::from_str(&specs[1].input_schema).unwrap();
    assert_eq!(nothing, json!({"type": "object", "properties": {}}));
}

#[test]
fn what_is_said_of_a_tool_is_what_its_author_said() {
    let specs = Host::new().list::<Kit>().unwrap();
    let hints = |index: usize| {
        let hints = specs[index].annotations;
        [hints.read_only, hints.destructive, hints.idempotent, hints.open_world]
    };
    assert_eq!((specs[0].title.as_deref(), specs[0].category.as_str()), (Some("Greet"), "manners"));
    assert_eq!(hints(0), [true, false, true, false]);
    assert_eq!(hints(1), [false, true, true, false]);
    assert_eq!(hints(2), [false, false, false, true]);
    assert_eq!((specs[3].category.as_str(), hints(3)), ("other", [false; 4]));
}

#[test]
fn arguments_and_settings_are_read_into_types() {
    let host = Host::new().settings(&json!({"greeting": "moin"}));
    let answer = host
        .call::<Kit>("greet", json!({"who": "you", "style": "formal", "extra": {"map": {"a": 1}}, "loud": true}))
        .unwrap();
    assert_eq!(answer.text, "moin dear you 1x1");
    assert_eq!(answer.json, json!({"text": "moin dear you 1x1", "loud": true}));
    // Left out in words.
    assert!(host.call::<Kit>("greet", json!({"name": "x", "times": null, "style": null, "extra": null})).is_ok());
    for (name, arguments, kind, says) in [
        (
            "greet",
            json!({"name": 1}),
            ErrorKind::InvalidArguments,
            "arguments: `name`: invalid type: integer `1`, expected a string",
        ),
        (
            "greet",
            json!({"name": "a", "extra": {"map": {"b": 256}}}),
            ErrorKind::InvalidArguments,
            "arguments: `extra.map.b`: invalid value: integer `256`, expected u8",
        ),
        (
            "greet",
            json!([]),
            ErrorKind::InvalidArguments,
            "arguments: invalid length 0, expected struct Greeting with 5 elements",
        ),
        (
            "gret",
            json!({}),
            ErrorKind::NotFound,
            "there is no tool `gret` here; there are greet, count, look, who, run",
        ),
    ] {
        let error = host.call::<Kit>(name, arguments).unwrap_err();
        assert_eq!((error.kind, error.message.as_str()), (kind, says));
    }
    let error = Host::new().settings(&json!({"greting": ""})).list::<Kit>().unwrap_err();
    assert_eq!(error.message, "settings: `greting`: unknown field `greting`, expected `greeting`");
}

#[test]
fn a_call_knows_whose_it_is() {
    assert_eq!(Host::new().call::<Kit>("who", json!({})).unwrap().text, "Some(\"session\") None call");
}

#[test]
fn the_host_keeps_and_reports() {
    let host = Host::new();
    for expected in ["0 [\"count\"]", "1 [\"count\"]", "0 [\"count\"]"] {
        assert_eq!(host.call::<Kit>("count", json!({})).unwrap().text, expected);
    }
    assert_eq!(host.reported(), vec![(Some(0.5), "half".to_owned()); 3]);
    assert_eq!(kv::set("k", &vec![0; 1 << 20]).unwrap_err().kind, ErrorKind::InvalidArguments);
    for key in 0..16 {
        let _ = kv::set(&key.to_string(), &vec![0; 65_000]);
    }
    assert_eq!(kv::set("last", &vec![0; 65_000]).unwrap_err().kind, ErrorKind::Unavailable);
    assert_eq!(kv::keys("1", Some("1"), 3).unwrap(), ["10", "11", "12"]);
}

#[test]
fn programs_run_only_where_they_are_granted() {
    let denied = Host::new().call::<Kit>("run", json!({})).unwrap_err();
    assert_eq!(denied.kind, ErrorKind::Denied);
    let host = Host::new().processes(|command| {
        assert_eq!((command.program.as_str(), command.timeout_ms), ("true", 60_000));
        Ok(Finished { code: Some(0), stdout: b"out\xFF".to_vec(), stderr: b"err".to_vec(), truncated: false })
    });
    assert_eq!(host.call::<Kit>("run", json!({})).unwrap().text, "out\u{fffd}\nerr");
}

fn redirect(request: &Request, status: u16, location: &str) -> Result<Response, Failure> {
    let headers = vec![("location".to_owned(), location.to_owned())];
    Ok(Response { url: request.url.clone(), status, headers, body: Vec::new(), truncated: false })
}

#[test]
fn redirects_are_followed_without_secrets_and_not_for_ever() {
    let host = Host::new().web(|request| match (request.url.authority(), request.url.path()) {
        ("a.example", "/") => redirect(request, 302, "/next"),
        ("a.example", "/next") => {
            // A POST has become a GET; on the same server the secret stays.
            assert_eq!((request.method.as_str(), request.headers.len()), ("GET", 1));
            redirect(request, 307, "//b.example/end?x")
        }
        ("b.example", _) => {
            assert_eq!(request.headers, []);
            redirect(request, 200, "/ignored")
        }
        ("away.example", _) => redirect(request, 301, "file:///etc/passwd"),
        ("denied.example", _) => Err(Failure::denied("no")),
        _ => redirect(request, 302, "/again"),
    });
    let look = |url: &str| host.call::<Kit>("look", json!({"url": url}));
    assert_eq!(look("https://a.example").unwrap().text, "200 https://b.example/end?x");
    assert_eq!(
        look("https://loop.example").unwrap_err().message,
        "more than 5 redirects, the last one to https://loop.example/again"
    );
    assert_eq!(look("https://away.example").unwrap_err().kind, ErrorKind::InvalidArguments);
    let denied = look("https://denied.example/x").unwrap_err();
    assert_eq!((denied.kind, denied.message.as_str()), (ErrorKind::Denied, "can't reach https://denied.example: no"));
}
