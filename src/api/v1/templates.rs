//! `/api/v1/session-templates`: what sessions can be made from.

use http::{Method, StatusCode};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::PLATFORM;
use super::page::{Links, Next, Wanted, paged, wrong};
use super::sessions::{SessionOptions, short};
use super::wire::unknown;
use crate::api::State;
use crate::http::endpoint::answer;
use crate::http::{Endpoint, Fields, Reply, Request};
use crate::model::Result;
use crate::model::session::{Mode, Template};
use crate::service::session::{New, Options};
use crate::service::template::{self, Words};

/// What a template says.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "it is read field by field")]
struct TemplateRequest {
    /// For people; not blank.
    #[schemars(length(max = 255), regex(pattern = r"\S"))]
    name: String,
    /// For people.
    #[schemars(length(max = 10_000))]
    description: Option<String>,
    /// For people: what it is for.
    #[schemars(length(max = 255))]
    category: Option<String>,
    /// Options of sessions that are made from it.
    #[schemars(with = "Option<SessionOptions>")]
    sdk_options: Option<Map<String, Value>>,
    /// What models are told before anything else.
    system_prompt: Option<String>,
    /// How those sessions are used: `interactive`, `background` or `forked`.
    #[schemars(regex(pattern = "^(interactive|background|non_interactive|forked)$"))]
    default_mode: Option<String>,
    /// Whether everybody may use it.
    is_public: Option<bool>,
}

const KNOWN: [&str; 7] =
    ["name", "description", "category", "sdk_options", "system_prompt", "default_mode", "is_public"];

/// A template.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "SessionTemplate")]
struct TemplateView {
    /// True where it is the whole answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    success: Option<bool>,
    /// Names it.
    id: String,
    /// Whose it is.
    user_id: String,
    /// For people.
    name: String,
    /// For people.
    description: Option<String>,
    /// For people: what it is for.
    category: Option<String>,
    /// Options of sessions that are made from it.
    sdk_options: Map<String, Value>,
    /// What models are told before anything else.
    system_prompt: Option<String>,
    /// How those sessions are used.
    default_mode: &'static str,
    /// Whether everybody may use it.
    is_public: bool,
    /// When it was made.
    created_at: String,
    /// When it was changed last.
    updated_at: String,
}

/// A page of templates, the newest first.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "SessionTemplateList")]
struct TemplateList {
    /// Always true.
    success: bool,
    /// The templates.
    items: Vec<TemplateView>,
    /// How many there are.
    total: u64,
    /// How many come before.
    skip: u64,
    /// How many were wanted.
    limit: usize,
    /// The neighbours.
    links: Links,
}

const PATH: &str = "/api/v1/session-templates";
const ONE: &str = "/api/v1/session-templates/{template_id}";

pub(super) fn endpoints() -> Vec<Endpoint<State>> {
    let one = |endpoint: Endpoint<State>| endpoint.parameter("template_id", "The template.", TEMPLATE);
    vec![
        Endpoint::post(&PLATFORM, PATH, |request| answer(create(request)))
            .named("createSessionTemplate", "Makes a template.")
            .takes::<TemplateRequest>("What it says.", request)
            .creates::<TemplateView>("The template.", made),
        paged(Endpoint::get(&PLATFORM, PATH, |request| answer(list(request))))
            .named("listSessionTemplates", "The caller's templates and those for everybody, the newest first.")
            .query("category", "Only those of this category.", || json!({"type": "string"}))
            .query(
                "is_public",
                "Only those for everybody, or only the caller's own that are not.",
                || json!({"type": "boolean"}),
            )
            .gives::<TemplateList>("A page of them.", listed)
            .fails(&[422]),
        one(Endpoint::get(&PLATFORM, ONE, |request| answer(get(request))))
            .named("getSessionTemplate", "A template.")
            .gives::<TemplateView>("The template.", made)
            .fails(&[404]),
        one(Endpoint::new(Method::PUT, &PLATFORM, ONE, |request| answer(replace(request))))
            .named("replaceSessionTemplate", "Writes a template anew; only its owner may.")
            .takes::<TemplateRequest>("What it says from now on.", request)
            .gives::<TemplateView>("The template.", made)
            .fails(&[404, 409]),
        one(Endpoint::new(Method::DELETE, &PLATFORM, ONE, |request| answer(delete(request))))
            .named("deleteSessionTemplate", "Takes a template out; only its owner may. What was made from it stays.")
            .gives_nothing()
            .fails(&[404, 409]),
    ]
}

/// What `template` says, where `new` is silent; `mode` says whether the caller named one.
pub(super) fn apply(new: &mut New, template: Template, mode: bool) -> Result<()> {
    for (name, value) in template.options {
        if !new.options.contains_key(&name) {
            new.options.insert(name, value);
        }
    }
    let Options { provider, model, .. } = Options::read(&new.options)?;
    (new.provider, new.model) = (provider, model);
    new.system_prompt = new.system_prompt.take().or(template.system_prompt);
    if !mode {
        new.mode = template.mode;
    }
    new.template = Some(template.id);
    Ok(())
}

fn read(mut body: Fields) -> Result<Words> {
    let Some(name) = short(&mut body, "name", 255)? else { return Err(body.missing("name")) };
    if name.trim().is_empty() {
        return Err(body.wrong("name", "it is empty"));
    }
    let mode: Option<String> = body.take("default_mode")?;
    let mode = match mode.as_deref().map(Mode::read) {
        Some(None) => return Err(body.wrong("default_mode", "it can be interactive, background or forked")),
        mode => mode.flatten().unwrap_or_default(),
    };
    let words = Words {
        name,
        description: short(&mut body, "description", 10_000)?,
        category: short(&mut body, "category", 255)?.filter(|category| !category.is_empty()),
        options: body.take("sdk_options")?.unwrap_or_default(),
        system_prompt: body.take("system_prompt")?,
        mode,
        public: body.take("is_public")?.unwrap_or_default(),
    };
    Options::read(&words.options)?;
    unknown(body, &KNOWN)?;
    Ok(words)
}

impl From<Template> for TemplateView {
    fn from(template: Template) -> Self {
        Self {
            success: None,
            id: template.id,
            user_id: template.owner,
            name: template.name,
            description: template.description,
            category: template.category,
            sdk_options: template.options,
            system_prompt: template.system_prompt,
            default_mode: template.mode.as_str(),
            is_public: template.public,
            created_at: format!("{:.3}", template.created),
            updated_at: format!("{:.3}", template.updated),
        }
    }
}

fn shown(template: Template) -> Result<Reply> {
    Reply::json(&TemplateView { success: Some(true), ..template.into() })
}

async fn create(request: Request<State>) -> Result<Reply> {
    let owner = request.caller.owner().to_owned();
    let (state, body) = request.fields()?;
    let template = state.templates.create(&owner, read(body)?).await?;
    Ok(shown(template)?.with_status(StatusCode::CREATED))
}

async fn list(request: Request<State>) -> Result<Reply> {
    let wanted = Wanted::read(&request)?;
    let public = match request.query("is_public").as_deref() {
        None => None,
        Some("true" | "1") => Some(true),
        Some("false" | "0") => Some(false),
        Some(_) => return Err(wrong("is_public", "it can be true or false")),
    };
    let category = request.query("category");
    let filter = template::Wanted { category: category.clone(), public };
    let (items, total) =
        request.state.templates.list(request.caller.owner(), &filter, wanted.rest(), wanted.limit).await?;
    let public = public.map(|public| public.to_string());
    let kept = [("category", category.as_deref()), ("is_public", public.as_deref())];
    let next = (wanted.skip + (items.len() as u64) < total && !items.is_empty()).then_some(Next::There);
    Reply::json(&TemplateList {
        success: true,
        total,
        skip: wanted.skip,
        limit: wanted.limit,
        links: wanted.links(PATH, &kept, next),
        items: items.into_iter().map(TemplateView::from).collect(),
    })
}

async fn get(request: Request<State>) -> Result<Reply> {
    shown(request.state.templates.get(request.caller.owner(), request.parameter("template_id")).await?)
}

async fn replace(request: Request<State>) -> Result<Reply> {
    let (owner, id) = (request.caller.owner().to_owned(), request.parameter("template_id").to_owned());
    // Who may not see it isn't told what is wrong with the body either.
    request.state.templates.get(&owner, &id).await?;
    let (state, body) = request.fields()?;
    shown(state.templates.replace(&owner, &id, read(body)?).await?)
}

async fn delete(request: Request<State>) -> Result<Reply> {
    request.state.templates.delete(request.caller.owner(), request.parameter("template_id")).await?;
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}

const TEMPLATE: &str = "3f2504e0-4f89-41d3-9a0c-0305e82c3301";

fn request() -> Value {
    json!({
        "name": "DevOps Investigation Template",
        "description": "Pre-configured for infrastructure debugging",
        "category": "DEVOPS",
        "sdk_options": {"allowed_tools": ["Bash", "Read", "Write"], "permission_mode": "default"},
        "default_mode": "interactive",
        "is_public": false,
    })
}

fn template() -> Value {
    let mut template = request();
    let more = json!({
        "id": TEMPLATE, "user_id": "5a0c1f9e-6d7b-4c36-9b0e-0f6a3c1d2e4b", "system_prompt": null,
        "created_at": "2025-10-19T12:00:00.000Z", "updated_at": "2025-10-19T12:00:00.000Z",
    });
    if let (Some(template), Value::Object(more)) = (template.as_object_mut(), more) {
        template.extend(more);
    }
    template
}

fn made() -> Value {
    let mut template = template();
    if let Some(template) = template.as_object_mut() {
        template.insert("success".into(), true.into());
    }
    template
}

fn listed() -> Value {
    json!({
        "success": true, "items": [template()], "total": 5, "skip": 0, "limit": 1,
        "links": {"next": format!("{PATH}?skip=1&limit=1"), "prev": null},
    })
}
