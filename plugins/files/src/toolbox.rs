//! The tools and what is said of them.

use mortise_sdk::tool::{NoSettings, Tool, Toolbox};

use crate::{edit, list, moves, patch, read, write};

const CATEGORY: &str = "file_operations";

pub(crate) struct Files;

impl Toolbox for Files {
    type Settings = NoSettings;

    fn tools() -> Vec<Tool<NoSettings>> {
        let tools = vec![
            Tool::new(
                "read_file",
                "Reads a text file of the workspace, whole or a range of lines. Says so when the file is binary or longer than \
                 what is shown, and how to go on.",
                read::run,
            )
            .title("Read a file")
            .returns::<read::Found>()
            .read_only(),
            Tool::new(
                "write_file",
                "Writes a whole text file, in place of any that was there; directories are made as needed. To change a part of a \
                 file, use edit_file or apply_patch.",
                write::run,
            )
            .title("Write a file")
            .returns::<write::Written>()
            .destructive()
            .idempotent(),
            Tool::new(
                "edit_file",
                "Replaces a text in a file by another. old_string must be exactly what stands in the file, blanks included, and \
                 must stand there once: give enough lines around it, or set replace_all.",
                edit::run,
            )
            .title("Edit a file")
            .returns::<edit::Edited>()
            .destructive(),
            Tool::new(
                "apply_patch",
                "Applies a patch to one or more files: either a unified diff, or the form that begins with `*** Begin Patch`. All of \
                 it fits, or nothing is changed.",
                patch::run,
            )
            .title("Apply a patch")
            .returns::<patch::Patched>()
            .destructive(),
            Tool::new(
                "list_directory",
                "Lists a directory of the workspace: directories end in `/`, files show their size. depth looks further down.",
                list::run,
            )
            .title("List a directory")
            .returns::<list::Listing>()
            .read_only(),
            Tool::new("move", "Moves or renames a file or a directory within the workspace.", moves::run)
                .title("Move")
                .returns::<moves::Moved>()
                .destructive(),
            Tool::new(
                "delete",
                "Deletes a file, or a directory if it is empty or recursive is set. There is no way back.",
                moves::delete,
            )
            .title("Delete")
            .returns::<moves::Deleted>()
            .destructive(),
        ];
        tools.into_iter().map(|tool| tool.category(CATEGORY)).collect()
    }
}
