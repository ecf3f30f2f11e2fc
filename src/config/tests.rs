//! Tests of the configuration.

use std::time::Duration;

use super::*;

fn error(yaml: &str) -> String {
    Config::from_yaml(yaml).unwrap_err().to_string()
}

#[test]
fn nothing_is_needed() {
    let config = Config::from_yaml("# nothing\n").unwrap();
    assert_eq!(config.server.port, 8080);
    assert!(config.server.host.is_loopback());
}

#[test]
fn an_unknown_key_names_the_nearest() {
    let message = error("server:\n  prot: 9000\n");
    assert!(message.contains("unknown key `server.prot`; did you mean `port`?"), "{message}");
    let message = error("zzz: 1\n");
    assert!(message.contains("unknown key `zzz`; known here: server"), "{message}");
}

#[test]
fn a_wrong_value_names_its_key() {
    let message = error("server:\n  port: many\n");
    assert!(message.contains("`server.port`"), "{message}");
    let message = error("egress:\n  timeouts:\n    idle: soon\n");
    assert!(message.contains("write 200ms, 5s, 10m or 30d"), "{message}");
}

#[test]
fn a_version_of_tls_may_look_like_a_number() {
    for written in ["1.3", "\"1.3\""] {
        let config = Config::from_yaml(&format!("server: {{ssl: {{min_version: {written}}}}}")).unwrap();
        assert_eq!(config.server.ssl.min_version, TlsVersion::V1_3);
    }
    let message = error("server: {ssl: {min_version: 1.1}}");
    assert!(message.contains("`server.ssl.min_version`") && message.contains("write \"1.2\""), "{message}");
}

#[test]
fn a_secret_in_plain_words_is_refused_and_not_repeated() {
    let message = error("providers:\n  openai:\n    api_key: sk-very-secret\n");
    assert!(message.contains("env:NAME") && !message.contains("very-secret"), "{message}");
}

#[test]
fn empty_sections_are_defaults() {
    let config = Config::from_yaml("providers:\n  echo:\n  claude: {plugin: echo}\nserver:\n").unwrap();
    assert_eq!(config.providers.len(), 2);
}

#[test]
fn own_timeouts_stand_in_place_of_common_ones() {
    let config = Config::from_yaml("providers:\n  a:\n    timeouts: {idle: 50ms}\n").unwrap();
    let timeouts = config.egress.timeouts.with(&config.providers["a"].timeouts);
    assert_eq!(timeouts.idle, Duration::from_millis(50));
    assert_eq!(timeouts.total, Duration::from_secs(600));
}

#[test]
fn a_grants_limits_stand_in_place_of_common_ones() {
    let yaml = "plugins:\n  limits: {cpu: 1s}\n  grants:\n    a: {limits: {memory: 128MiB}}\n    b:\n      limits:\n";
    let plugins = Config::from_yaml(yaml).unwrap().plugins;
    let common = Limits { cpu: Duration::from_secs(1), ..Limits::default() };
    assert_eq!(plugins.limits_of("a"), Limits { memory: 128 << 20, ..common });
    assert_eq!((plugins.limits_of("b"), plugins.limits_of("c")), (common, common));
    let message = error("plugins:\n  grants:\n    a: {limits: {memory: much}}\n");
    assert!(message.contains("write 64MiB"), "{message}");
}

#[test]
fn what_is_shown_can_be_read_again() {
    let config = Config::from_yaml(
        "providers:\n  a: {api_key: env:KEY, timeouts: {idle: 50ms}}\nplugins: {grants: {a: {limits: {log: 1MiB}}}}\n",
    )
    .unwrap();
    let shown = config.to_yaml().unwrap();
    assert!(shown.contains("env:KEY"), "{shown}");
    assert_eq!(Config::from_yaml(&shown).unwrap().to_yaml().unwrap(), shown);
}

/// A map that holds, for each key of the defaults, the text of its value.
fn leaves(prefix: &str, value: &serde_json::Value, into: &mut std::collections::BTreeMap<String, String>) {
    match value {
        serde_json::Value::Object(map) if !map.is_empty() => {
            for (key, value) in map {
                leaves(&format!("{prefix}{key}."), value, into);
            }
        }
        value => {
            into.insert(prefix.trim_end_matches('.').to_owned(), value.to_string());
        }
    }
}

#[test]
fn the_documented_configuration_lists_every_key_with_its_default() {
    let text = include_str!("../../config/mortise.yaml");
    let documented: serde_json::Value = serde_saphyr::from_str(text).unwrap();
    let defaults = serde_json::to_value(Config::default()).unwrap();
    let (mut written, mut real) = Default::default();
    leaves("", &documented, &mut written);
    leaves("", &defaults, &mut real);
    assert_eq!(written, real, "config/mortise.yaml and the defaults in src/config/mod.rs must agree");
    // Every key is explained by a comment on the line above it or on its own.
    let lines: Vec<&str> = text.lines().collect();
    for (index, line) in lines.iter().enumerate() {
        let is_key = line
            .trim_start()
            .split_once(':')
            .is_some_and(|(key, _)| key.chars().all(|c| c.is_alphanumeric() || c == '_'));
        if is_key && !line.trim().is_empty() {
            let above = index.checked_sub(1).map_or("", |above| lines[above].trim());
            assert!(line.contains(" # ") || above.starts_with('#'), "no explanation: {line}");
        }
    }
    // The examples in comments are valid too.
    let examples: String =
        text.lines().filter_map(|line| line.trim_start().strip_prefix("#> ")).map(|line| format!("{line}\n")).collect();
    Config::from_yaml(&examples).unwrap();
}
