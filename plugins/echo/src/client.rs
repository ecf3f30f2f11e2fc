//! The provider: which operations it has, and how each begins.

use mortise_sdk::chat::{Request, Usage};
use mortise_sdk::provider::{
    Credential, EmbedRequest, Error, ErrorKind, Exchange, Info, Model, NoSettings, Output, Provider, Vector, answer,
};

use crate::speech::Speech;
use crate::{conversions, vectors, words};

pub(crate) const PLAIN: &str = "echo";
pub(crate) const REASONING: &str = "echo-reasoning";

pub(crate) struct Echo;

impl Provider for Echo {
    type Settings = NoSettings;

    fn describe(_: NoSettings) -> Result<Info, Error> {
        Ok(Info { credential: Credential::None, vision: true, models: models(), ..Info::new("Echo") })
    }

    fn chat(request: Request, _: NoSettings) -> Result<Box<dyn Exchange>, Error> {
        check_model(&request.model)?;
        Ok(Box::new(Speech::new(&request.model, words::input(&request), conversions::script(&request)?)))
    }

    fn embed(request: EmbedRequest, _: NoSettings) -> Result<Box<dyn Exchange>, Error> {
        check_model(&request.model)?;
        let dimensions = vectors::dimensions(request.dimensions)?;
        Ok(answer(move |out| {
            for (index, input) in (0..).zip(&request.inputs) {
                out.emit(Vector { index, values: vectors::of(input, dimensions) });
            }
            let input = request.inputs.iter().map(|input| words::count(input)).sum();
            out.emit(Output::Usage(Usage { input, ..Usage::default() }));
            Ok(())
        }))
    }

    fn list_models(_: NoSettings) -> Result<Box<dyn Exchange>, Error> {
        Ok(answer(|out| {
            out.emit(models());
            Ok(())
        }))
    }

    fn count_tokens(request: Request, _: NoSettings) -> Result<Box<dyn Exchange>, Error> {
        check_model(&request.model)?;
        let count = words::input(&request);
        Ok(answer(move |out| {
            out.emit(Output::Tokens(count));
            Ok(())
        }))
    }
}

fn models() -> Vec<Model> {
    let model = |id: &str, name: &str, reasoning| Model {
        name: Some(name.into()),
        vision: Some(true),
        tools: Some(true),
        reasoning: Some(reasoning),
        ..Model::new(id)
    };
    vec![model(PLAIN, "Echo", false), model(REASONING, "Echo, thinking first", true)]
}

fn check_model(model: &str) -> Result<(), Error> {
    match model {
        PLAIN | REASONING => Ok(()),
        other => Err(Error::new(
            ErrorKind::UnknownModel,
            format!("echo has no model `{other}`: its models are `{PLAIN}` and `{REASONING}`"),
        )),
    }
}
