//! The tools, called as the host calls them, on a directory.

mod edit;
mod hostile;
mod list;
mod patch;
mod properties;
mod read;

use std::fs;
use std::path::Path;

use mortise_sdk::testing::tool::{Answer, Host};
use mortise_sdk::tool::Error;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::toolbox::Files;

/// A workspace and a host that grants it.
struct Desk {
    dir: TempDir,
    host: Host,
}

impl Desk {
    fn new(files: &[(&str, &[u8])]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        for (name, content) in files {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        let host = Host::new().workspace(dir.path());
        Self { dir, host }
    }

    fn call(&self, name: &str, arguments: Value) -> Result<Answer, Error> {
        self.host.call::<Files>(name, arguments)
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }

    fn bytes(&self, name: &str) -> Vec<u8> {
        fs::read(self.path().join(name)).unwrap()
    }

    fn text(&self, name: &str) -> String {
        String::from_utf8(self.bytes(name)).unwrap()
    }

    /// All that is there, as relative names.
    fn names(&self) -> Vec<String> {
        let mut names = Vec::new();
        let mut open = vec![self.path().to_owned()];
        while let Some(dir) = open.pop() {
            for entry in fs::read_dir(dir).unwrap() {
                let path = entry.unwrap().path();
                names.push(path.strip_prefix(self.path()).unwrap().to_str().unwrap().to_owned());
                if path.is_dir() && !path.is_symlink() {
                    open.push(path);
                }
            }
        }
        names.sort();
        names
    }
}

#[test]
fn schemas_are_plain_and_name_what_is_required() {
    let specs = Host::new().list::<Files>().unwrap();
    let names: Vec<&str> = specs.iter().map(|spec| spec.name.as_str()).collect();
    assert_eq!(names, ["read_file", "write_file", "edit_file", "apply_patch", "list_directory", "move", "delete"]);
    let read: Value = serde_json::from_str(&specs[0].input_schema).unwrap();
    assert_eq!(
        read,
        json!({
            "type": "object",
            "additionalProperties": false,
            "required": ["file_path"],
            "properties": {
                "file_path": {
                    "type": "string",
                    "description": "Path to the file, relative to the workspace.",
                    "x-aliases": ["path"],
                },
                "offset": {"type": "integer", "minimum": 1, "description": "The first line to show, counted from 1."},
                "limit": {"type": "integer", "minimum": 1, "description": "How many lines to show, 2000 by default."},
                "line_numbers": {
                    "type": "boolean",
                    "description": "Whether each line begins with its number and a tab.",
                },
            },
        })
    );
    for spec in &specs {
        assert_eq!(spec.category, "file_operations");
        assert!(spec.output_schema.is_some() && spec.title.is_some(), "{}", spec.name);
        assert_eq!(spec.annotations.read_only, ["read_file", "list_directory"].contains(&spec.name.as_str()));
        assert!(!spec.annotations.open_world);
    }
}
