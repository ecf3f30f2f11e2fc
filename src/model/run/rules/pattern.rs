//! Patterns for calls: `Bash`, `Bash(git:*)`, `Edit(src/**)`, `WebFetch(domain:example.com)`, `mcp__server__tool`, `*`.
//!
//! A pattern that permits is read narrowly, one that forbids is read widely: a command line that a shell would take for several
//! is permitted by no prefix, and forbidden if one of its parts is.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::glob;

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// As it was written.
    text: String,
    /// A glob over tools' names.
    tool: String,
    /// What stands in brackets.
    about: Option<About>,
}

/// What a call must be about.
#[derive(Clone, Debug, PartialEq, Eq)]
enum About {
    /// `git:*`: commands that begin so.
    Prefix(String),
    /// `domain:example.com`: addresses there, and below.
    Domain(String),
    /// Exactly this command, or a glob over paths.
    Exactly(String),
}

/// What documents call tools, and what they are called here.
const ALIASES: [(&str, &str); 9] = [
    ("Read", "read_file"),
    ("Write", "write_file"),
    ("Edit", "edit_file"),
    ("MultiEdit", "edit_file"),
    ("Bash", "terminal"),
    ("Grep", "grep"),
    ("Glob", "glob"),
    ("WebFetch", "fetch_url"),
    ("TodoWrite", "update_plan"),
];

/// What ends a command or makes another one of it, in a shell.
const SHELL: [char; 12] = [';', '|', '&', '$', '`', '<', '>', '(', ')', '\n', '\r', '\0'];

/// Members of a call's arguments that hold a command, a path, an address.
const COMMAND: [&str; 2] = ["command", "cmd"];
const PATH: [&str; 7] = ["path", "file_path", "pattern", "source", "destination", "from", "to"];
const ADDRESS: [&str; 2] = ["url", "uri"];

// === impl Pattern ===

impl Pattern {
    /// Whether some call of `tool` may fit.
    pub fn names(&self, tool: &str) -> bool {
        glob::matches(&self.tool, tool)
    }

    /// Whether every call of `tool` is forbidden by it.
    pub fn forbids_all(&self, tool: &str) -> bool {
        self.about.is_none() && self.names(tool)
    }

    /// Whether it permits a call, read narrowly.
    pub fn permits(&self, tool: &str, arguments: &Value) -> bool {
        self.names(tool)
            && match &self.about {
                None => true,
                Some(About::Prefix(prefix)) => {
                    command(arguments).is_some_and(|line| !line.contains(SHELL) && begins(line.trim(), prefix))
                }
                Some(About::Domain(domain)) => {
                    let mut addresses = members(arguments, &ADDRESS).peekable();
                    addresses.peek().is_some() && addresses.all(|url| is_at(url, domain))
                }
                Some(About::Exactly(text)) => match command(arguments) {
                    Some(line) => line.trim() == text,
                    None => {
                        let mut paths = members(arguments, &PATH).peekable();
                        let fits = |path: &str| glob::normal(path).is_some_and(|path| fits_path(text, &path));
                        paths.peek().is_some() && paths.all(fits)
                    }
                },
            }
    }

    /// Whether it forbids a call, read widely.
    pub fn forbids(&self, tool: &str, arguments: &Value) -> bool {
        self.names(tool)
            && match &self.about {
                None => true,
                Some(About::Prefix(prefix)) => {
                    command(arguments).is_some_and(|line| line.split(SHELL).any(|part| begins(unwrapped(part), prefix)))
                }
                Some(About::Domain(domain)) => members(arguments, &ADDRESS).any(|url| is_at(url, domain)),
                Some(About::Exactly(text)) => match command(arguments) {
                    Some(line) => line.trim() == text || line.split(SHELL).any(|part| unwrapped(part) == text),
                    // A path that climbs may be anywhere.
                    None => members(arguments, &PATH)
                        .any(|path| glob::normal(path).is_none_or(|path| fits_path(text, &path))),
                },
            }
    }
}

impl FromStr for Pattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = |why: &str| {
            format!(
                "`{text}` is no pattern of tools: {why}; write a name, a glob, or a name with brackets such as Bash(git:*)"
            )
        };
        let trimmed = text.trim();
        let (name, about) = match trimmed.split_once('(') {
            None => (trimmed, None),
            Some((name, rest)) => {
                let inside = rest.strip_suffix(')').ok_or_else(|| wrong("a bracket stays open"))?;
                (name.trim_end(), Some(inside.trim()))
            }
        };
        if name.is_empty() || !name.chars().all(|c| c.is_alphanumeric() || "_-.:/*?".contains(c)) {
            return Err(wrong("a tool's name has letters, digits, `_`, `-`, `.`, `:` and `/`"));
        }
        let known = ALIASES.iter().find(|(alias, _)| *alias == name);
        let tool = known.map_or(name, |(_, tool)| tool).to_owned();
        // A command is no path.
        let exactly = |inside: &str| match glob::normal(inside) {
            Some(path) if tool != "terminal" => path,
            _ => inside.to_owned(),
        };
        let about = match about {
            None | Some("*" | "") => None,
            Some(inside) => Some(match (inside.strip_suffix(":*"), inside.strip_prefix("domain:")) {
                (_, Some(domain)) if !domain.is_empty() => About::Domain(domain.to_ascii_lowercase()),
                (Some(prefix), _) if !prefix.trim().is_empty() => About::Prefix(prefix.trim().to_owned()),
                (None, None) => About::Exactly(exactly(inside)),
                _ => return Err(wrong("the brackets hold nothing")),
            }),
        };
        Ok(Self { text: trimmed.to_owned(), tool, about })
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for Pattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// The command line of a call: a member that holds one, with what its arguments add.
fn command(arguments: &Value) -> Option<String> {
    let mut line = members(arguments, &COMMAND).next().map(str::to_owned);
    let program = || arguments.get("program").and_then(Value::as_str).map(str::to_owned);
    line = line.or_else(program);
    let more = ["arguments", "args"].iter().find_map(|name| arguments.get(name)?.as_array());
    if let (Some(line), Some(more)) = (&mut line, more) {
        for word in more.iter().filter_map(Value::as_str) {
            line.push(' ');
            line.push_str(word);
        }
    }
    line
}

fn members<'v>(arguments: &'v Value, names: &'v [&'v str]) -> impl Iterator<Item = &'v str> {
    names.iter().filter_map(|name| arguments.get(name)?.as_str())
}

/// Whether `line` is `prefix`, or goes on behind it with another word.
fn begins(line: &str, prefix: &str) -> bool {
    line.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace))
}

/// A part of a command line without what only leads to the command: spaces, settings of variables, `sudo` and the like.
fn unwrapped(part: &str) -> &str {
    let mut rest = part.trim().trim_start_matches(['"', '\'', '{', '!', ' ']);
    while let Some((word, behind)) = rest.split_once(char::is_whitespace) {
        let setting = word.contains('=') && !word.starts_with('-');
        if !setting && !["sudo", "env", "exec", "command", "nohup", "time", "nice"].contains(&word) {
            break;
        }
        rest = behind.trim_start();
    }
    // `/usr/bin/git` is `git`.
    let word = rest.find(char::is_whitespace).unwrap_or(rest.len());
    let slash = rest.get(..word).and_then(|word| word.rfind('/')).map_or(0, |slash| slash + 1);
    rest.get(slash..).unwrap_or(rest)
}

fn is_at(url: &str, domain: &str) -> bool {
    let host = url::Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_ascii_lowercase));
    host.is_some_and(|host| host == domain || host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.')))
}

/// A path within the workspace, however it is written.
fn fits_path(glob: &str, path: &str) -> bool {
    let inside = path.strip_prefix("/workspace/").unwrap_or(path);
    glob::matches(glob, path) || glob::matches(glob, inside)
}
