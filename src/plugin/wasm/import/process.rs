//! Programs that a tool starts: those that it was granted, in the session's workspace, confined.

use std::time::Duration;

use crate::model::plugin::Workspace;
use crate::plugin::grant::allows_program;
use crate::plugin::process::{Command as Job, Failed};
use crate::plugin::wasm::bindings::tools::process::{Command, Error, Finished, Host};
use crate::plugin::wasm::tool::State;

/// Arguments of one program, together.
const LONGEST_ARGUMENTS: usize = 128 << 10;

impl Host for State {
    async fn run(&mut self, command: Command) -> wasmtime::Result<Result<Finished, Error>> {
        Ok(self.start(command).await)
    }
}

impl State {
    async fn start(&mut self, command: Command) -> Result<Finished, Error> {
        let (plugin, program) = (&self.vitals.id.clone(), &command.program);
        let plain = program.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '+'));
        if !plain || program.is_empty() || program.starts_with('.') || program.len() > 64 {
            let cure = format!("`{}` is no program's name; name it without a path", program.escape_debug());
            return Err(self.denied(cure));
        }
        if !allows_program(&self.rights.programs, program) {
            let allowed = if self.rights.programs.is_empty() {
                "it may start none".to_owned()
            } else {
                format!("it may start {}", self.rights.programs.join(", "))
            };
            let cure = format!(
                "plugin `{plugin}` may not start `{program}`: {allowed}; add it to plugins.grants.{plugin}.programs"
            );
            return Err(self.denied(cure));
        }
        let Some(workspace) = self.workspace.clone() else {
            let cure = format!(
                "plugin `{plugin}` starts programs in a session's workspace, and has none here; name a session, or see \
                 plugins.grants.{plugin}.workspace"
            );
            return Err(self.denied(cure));
        };
        let Some(runner) = self.means.runner.clone() else { return Err(Error::Unavailable) };
        let writable = self.rights.workspace == Some(Workspace::ReadWrite);
        let space = self.means.space.clone().filter(|_| writable);
        if writable && self.files.is_full() {
            self.denials.deny("limits", self.files.cure(plugin));
            return Err(Error::Denied);
        }
        let long = command.arguments.iter().map(|argument| argument.len() + 1).sum::<usize>() > LONGEST_ARGUMENTS;
        if long || command.arguments.iter().any(|argument| argument.contains('\0')) {
            return Err(
                self.denied(format!("the arguments of `{program}` are longer than 128 KiB, or hold a zero byte"))
            );
        }
        let climbs = |directory: &String| {
            let plain = |part| matches!(part, std::path::Component::Normal(_) | std::path::Component::CurDir);
            directory.contains('\0') || !std::path::Path::new(directory).components().all(plain)
        };
        if command.directory.as_ref().is_some_and(climbs) {
            let what =
                format!("`{program}` begins in the workspace; name its directory relative to that, without `..`");
            return Err(self.denied(what));
        }
        let begin = command.directory.as_deref().unwrap_or_default();
        if !workspace.join(begin).is_dir() {
            return Err(Error::NotFound);
        }
        let job = Job {
            program: command.program,
            arguments: command.arguments,
            directory: command.directory.filter(|directory| !directory.is_empty()),
            stdin: command.stdin,
            time: (command.timeout_ms > 0).then(|| Duration::from_millis(command.timeout_ms.into())),
            room: space.as_ref().and_then(|space| space.quota(&workspace)),
            workspace: workspace.clone(),
            writable,
        };
        let outcome = runner.run(job).await;
        if let Some(space) = space {
            space.lost_count(&workspace);
        }
        match outcome {
            Ok(done) => {
                if let Some(limit) = done.hit {
                    self.denials.deny("limits", format!("a program of plugin `{plugin}` was stopped: {limit}"));
                }
                Ok(Finished { code: done.code, stdout: done.stdout, stderr: done.stderr, truncated: done.truncated })
            }
            Err(Failed::NotFound) => Err(Error::NotFound),
            Err(Failed::TimedOut(limit)) => {
                let cure = format!(
                    "a program of plugin `{plugin}` ran longer than {} ms and was stopped, with all that it started \
                     (plugins.process.time)",
                    limit.as_millis()
                );
                self.denials.deny("limits", cure);
                Err(Error::TimedOut)
            }
            Err(Failed::Unconfined(why)) => {
                self.denials.deny("confinement", format!("no program was started for plugin `{plugin}`: {why}"));
                Err(Error::Unavailable)
            }
        }
    }

    fn denied(&self, cure: String) -> Error {
        self.denials.deny("programs", cure);
        Error::Denied
    }
}
