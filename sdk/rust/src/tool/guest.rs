//! Between the component's boundary and the author's functions.

use std::marker::PhantomData;

use super::{Call, Context, Error, Output, Spec, Toolbox};
use crate::bindings::tool::exports::mortise::plugin::tool as exported;
use crate::named;

/// What [`crate::tools!`] exports.
pub struct Guest<T>(PhantomData<T>);

impl<T: Toolbox> Guest<T> {
    /// Says, when compiled, that the toolbox can be exported.
    pub const fn ready() {}
}

impl<T: Toolbox> exported::Guest for Guest<T> {
    fn list_tools(settings: String) -> Result<Vec<Spec>, Error> {
        list::<T>(&settings)
    }

    fn call(name: String, arguments: String, context: Context, settings: String) -> Result<Output, Error> {
        call::<T>(&name, &arguments, context, &settings)
    }
}

/// What the toolbox says about its tools, given settings as text.
pub fn list<T: Toolbox>(settings: &str) -> Result<Vec<Spec>, Error> {
    read::<T>(settings)?;
    Ok(T::tools().iter().map(super::Tool::spec).collect())
}

/// Calls one of them, all given as text.
pub fn call<T: Toolbox>(name: &str, arguments: &str, context: Context, settings: &str) -> Result<Output, Error> {
    let settings = read::<T>(settings)?;
    let tools = T::tools();
    let Some(tool) = tools.iter().find(|tool| tool.name() == name) else {
        let names: Vec<&str> = tools.iter().map(super::Tool::name).collect();
        return Err(Error::not_found(format!("there is no tool `{name}` here; there are {}", names.join(", "))));
    };
    let Context { session, run, call: id } = context;
    tool.run(arguments, &Call { settings, session, run, id })
}

fn read<T: Toolbox>(settings: &str) -> Result<T::Settings, Error> {
    named::read("settings", settings).map_err(Error::invalid)
}
