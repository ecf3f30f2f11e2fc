//! Writing tools and the choice of them.

use mortise_sdk::chat::{Request, Tool, ToolChoice};
use mortise_sdk::json::{Array, Object, Splice, check, member};
use mortise_sdk::provider::Error;

use crate::generation::Generation;
use crate::{foreign, names};

pub(crate) fn write(body: &mut Object<'_>, request: &Request, same_dialect: bool) -> Result<(), Error> {
    if !same_dialect && let Some(native) = request.native_tools.first() {
        let kind = member(native, "type").unwrap_or_default();
        return Err(Error::unsupported(format!("tools of type `{kind}` mean nothing to this vendor: leave them out")));
    }
    if request.tools.is_empty() && request.native_tools.is_empty() {
        return match request.tool_choice {
            None | Some(ToolChoice::Auto | ToolChoice::Never) => Ok(()),
            Some(ToolChoice::Required | ToolChoice::Named(_)) => {
                Err(Error::invalid("`tool_choice` asks for a call, but there are no tools"))
            }
        };
    }
    let mut list = body.array("tools");
    let generation = Generation::of(&request.model);
    for tool in &request.tools {
        write_tool(&mut list, tool, generation, same_dialect)?;
    }
    for native in &request.native_tools {
        list.raw("a tool", native)?;
    }
    drop(list);
    write_choice(body, request);
    Ok(())
}

fn write_tool(list: &mut Array<'_>, tool: &Tool, generation: Generation<'_>, same_dialect: bool) -> Result<(), Error> {
    let mut object = list.object();
    object.put("name", &*names::name(&tool.name));
    object.put_some("description", tool.description.as_deref());
    let what = format!("`parameters` of the tool `{}`", tool.name);
    let schema = check(&what, &tool.parameters)?;
    let mut typed = Splice::of(&what, schema)?;
    if !typed.has("type") {
        // The vendor wants it said.
        typed.put("type", "object");
    }
    object.raw("input_schema", core::str::from_utf8(&typed.into_bytes()).unwrap_or_default())?;
    for field in &tool.extra {
        match field.name.as_str() {
            _ if same_dialect => drop(object.raw(&field.name, &field.value)?),
            foreign::CACHE => drop(object.raw(&field.name, &field.value)?),
            "strict" if matches!(field.value.trim(), "null" | "false") => {}
            "strict" if generation.keeps_to_schemas() => drop(object.raw("strict", &field.value)?),
            "strict" => {
                return Err(Error::unsupported(format!(
                    "`strict` of the tool `{}` can't be kept by this model: leave it out, or ask a newer one",
                    tool.name
                )));
            }
            _ if field.value.trim() == "null" => {}
            name => return Err(foreign::unknown(name, "tool")),
        }
    }
    Ok(())
}

fn write_choice(body: &mut Object<'_>, request: &Request) {
    let one_at_a_time = request.parallel_tool_calls == Some(false);
    let choice = match &request.tool_choice {
        None if !one_at_a_time => return,
        Some(choice) => choice,
        None => &ToolChoice::Auto,
    };
    let mut object = body.object("tool_choice");
    match choice {
        ToolChoice::Auto => object.put("type", "auto"),
        ToolChoice::Required => object.put("type", "any"),
        ToolChoice::Named(name) => object.put("type", "tool").put("name", &*names::name(name)),
        ToolChoice::Never => object.put("type", "none"),
    };
    // Without calls there is nothing to do one after another.
    if one_at_a_time && *choice != ToolChoice::Never {
        object.put("disable_parallel_tool_use", true);
    }
}
