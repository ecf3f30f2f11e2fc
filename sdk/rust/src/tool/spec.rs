//! A tool: what is told of it, and what it does.

use schemars::JsonSchema;
use schemars::generate::Contract;
use serde::de::DeserializeOwned;

use super::{Annotations, Call, Error, Output, Reply, Spec, schema};
use crate::named;

type Run<S> = Box<dyn Fn(&str, &Call<S>) -> Result<Output, Error>>;

/// One tool.
pub struct Tool<S> {
    name: &'static str,
    title: Option<&'static str>,
    description: String,
    category: &'static str,
    annotations: Annotations,
    // Made only when it is asked for: a call needs no schema.
    input: fn() -> String,
    output: Option<fn() -> String>,
    run: Run<S>,
}

impl<S: 'static> Tool<S> {
    /// A tool that may change something within the workspace and reaches nothing outside: see the annotations below.
    ///
    /// The name is `[a-z0-9_]+`; the description is for models: what it does, what it answers, when to use it.
    pub fn new<A, R>(
        name: &'static str,
        description: impl Into<String>,
        run: impl Fn(A, &Call<S>) -> Result<R, Error> + 'static,
    ) -> Self
    where
        A: DeserializeOwned + JsonSchema,
        R: Into<Reply>,
    {
        Self {
            name,
            title: None,
            description: description.into(),
            category: "other",
            annotations: Annotations { read_only: false, destructive: false, idempotent: false, open_world: false },
            input: || schema::of::<A>(Contract::Deserialize),
            output: None,
            run: Box::new(move |arguments, call| {
                let arguments = named::read("arguments", arguments).map_err(Error::invalid)?;
                run(arguments, call)?.into().finish()
            }),
        }
    }

    /// A name for people.
    #[must_use]
    pub fn title(mut self, title: &'static str) -> Self {
        self.title = Some(title);
        self
    }

    /// The group in which it is listed.
    #[must_use]
    pub fn category(mut self, category: &'static str) -> Self {
        self.category = category;
        self
    }

    /// It changes nothing. Calling it twice does no harm either.
    #[must_use]
    pub fn read_only(mut self) -> Self {
        self.annotations.read_only = true;
        self.annotations.idempotent = true;
        self
    }

    /// It may undo what was there before.
    #[must_use]
    pub fn destructive(mut self) -> Self {
        self.annotations.destructive = true;
        self
    }

    /// A second call with the same arguments changes nothing more.
    #[must_use]
    pub fn idempotent(mut self) -> Self {
        self.annotations.idempotent = true;
        self
    }

    /// It reaches things outside of the workspace, whose answers nobody vouches for.
    #[must_use]
    pub fn open_world(mut self) -> Self {
        self.annotations.open_world = true;
        self
    }

    /// The type of what it answers for programs.
    #[must_use]
    pub fn returns<T: JsonSchema>(mut self) -> Self {
        self.output = Some(|| schema::of::<T>(Contract::Serialize));
        self
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    pub(super) fn spec(&self) -> Spec {
        Spec {
            name: self.name.to_owned(),
            title: self.title.map(str::to_owned),
            description: self.description.clone(),
            category: self.category.to_owned(),
            input_schema: (self.input)(),
            output_schema: self.output.map(|output| output()),
            annotations: self.annotations,
        }
    }

    pub(super) fn run(&self, arguments: &str, call: &Call<S>) -> Result<Output, Error> {
        (self.run)(arguments, call)
    }
}
