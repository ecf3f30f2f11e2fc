//! Templates of sessions: made, found, changed and taken out.

use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream, StreamExt};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::Clock;
use super::access::Belongings;
use crate::model::session::{Mode, Template};
use crate::model::{Error, Kind, Result};
use crate::store::template::{self, List};
use crate::store::{Change, Committed, Store};

/// See the module.
#[derive(Clone)]
pub struct Templates {
    store: Store,
    clock: Clock,
}

/// What a template says.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "they are the template's")]
pub struct Words {
    pub name: String,
    pub description: Option<String>,
    pub category: Option<String>,
    pub options: Map<String, Value>,
    pub system_prompt: Option<String>,
    pub mode: Mode,
    pub public: bool,
}

/// Which templates are wanted.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Those of this category.
    pub category: Option<String>,
    /// Those that everybody may use, or the caller's own that nobody else may; both where it is left out.
    pub public: Option<bool>,
}

// === impl Templates ===

impl Templates {
    /// Those in `store`.
    pub fn new(store: Store, clock: Clock) -> Self {
        Self { store, clock }
    }

    /// Makes a template.
    ///
    /// # Errors
    /// If the store can't be written.
    pub async fn create(&self, owner: &str, words: Words) -> Result<Template> {
        let now = self.clock.now();
        let template = Template {
            id: Uuid::new_v4().to_string(),
            owner: owner.to_owned(),
            name: words.name,
            description: words.description,
            category: words.category,
            options: words.options,
            system_prompt: words.system_prompt,
            mode: words.mode,
            public: words.public,
            created: now,
            updated: now,
        };
        let mut change = Change::default();
        template::insert(&mut change, &template)?;
        self.done(change).await?;
        Ok(template)
    }

    /// The template `id` that `owner` may see.
    ///
    /// # Errors
    /// If there is none.
    pub async fn get(&self, owner: &str, id: &str) -> Result<Template> {
        template::visible(&self.store, owner, id).await?.ok_or_else(|| missing(id))
    }

    /// Those that `owner` may see: a page of them, the newest first, and how many there are.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn list(&self, owner: &str, wanted: &Wanted, skip: usize, limit: usize) -> Result<(Vec<Template>, u64)> {
        let category = wanted.category.as_deref();
        let lists: &[List<'_>] = match wanted.public {
            Some(true) => &[List::Public],
            Some(false) => &[List::Private(owner)],
            None => &[List::Public, List::Private(owner)],
        };
        let (mut found, mut total) = (Vec::new(), 0);
        for list in lists {
            found.extend(template::page(&self.store, *list, category, skip.saturating_add(limit)).await?);
            total += template::count(&self.store, *list, category).await?;
        }
        found.sort_by(|one, other| other.created.cmp(&one.created).then_with(|| one.id.cmp(&other.id)));
        Ok((found.into_iter().skip(skip).take(limit).collect(), total))
    }

    /// Template `id` of `owner` says `words` from now on.
    ///
    /// # Errors
    /// If `owner` has none.
    pub async fn replace(&self, owner: &str, id: &str, words: Words) -> Result<Template> {
        let old = template::own(&self.store, owner, id).await?.ok_or_else(|| missing(id))?;
        let template = Template {
            name: words.name,
            description: words.description,
            category: words.category,
            options: words.options,
            system_prompt: words.system_prompt,
            mode: words.mode,
            public: words.public,
            updated: self.clock.now(),
            ..old.record.clone()
        };
        let mut change = Change::default();
        template::replace(&mut change, &old, &template)?;
        self.done(change).await?;
        Ok(template)
    }

    /// Takes template `id` of `owner` out. What was made from it stays.
    ///
    /// # Errors
    /// If `owner` has none.
    pub async fn delete(&self, owner: &str, id: &str) -> Result<()> {
        let old = template::own(&self.store, owner, id).await?.ok_or_else(|| missing(id))?;
        let mut change = Change::removal();
        template::remove(&mut change, &old);
        self.done(change).await
    }

    async fn done(&self, change: Change) -> Result<()> {
        match self.store.commit(change).await? {
            Committed::Done => Ok(()),
            Committed::Conflict => {
                Err(Error::caller(Kind::Conflict, "somebody else changed the template at the same time; try again"))
            }
        }
    }
}

impl Belongings for Templates {
    fn name(&self) -> &'static str {
        "session_templates"
    }

    fn erase<'a>(&'a self, owner: &'a str) -> BoxFuture<'a, Result<u64>> {
        Box::pin(async move {
            let own = template::page(&self.store, List::Of(owner), None, usize::MAX).await?;
            for template in &own {
                self.delete(owner, &template.id).await?;
            }
            Ok(own.len() as u64)
        })
    }

    fn export(&self, owner: &str) -> BoxStream<'static, Result<Value>> {
        let (store, owner) = (self.store.clone(), owner.to_owned());
        let all = async move {
            match template::page(&store, List::Of(&owner), None, usize::MAX).await {
                Ok(own) => own.iter().map(|own| Ok(json!({"kind": "session_template", "template": own}))).collect(),
                Err(error) => vec![Err(error)],
            }
        };
        stream::once(all).flat_map(stream::iter).boxed()
    }
}

fn missing(id: &str) -> Error {
    Error::caller(Kind::NotFound, format!("Session template not found: {id}")).with_param("template_id")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(name: &str, category: &str, public: bool) -> Words {
        Words { name: name.into(), category: Some(category.into()), public, ..Words::default() }
    }

    #[tokio::test]
    async fn public_ones_are_everybodys_to_see_and_the_owners_to_change() {
        let templates = Templates::new(Store::in_memory(), Clock::system());
        let mine = templates.create("alice", words("mine", "DEVOPS", false)).await.unwrap();
        let shared = templates.create("alice", words("shared", "DEVOPS", true)).await.unwrap();
        templates.create("bob", words("his", "OTHER", false)).await.unwrap();
        let names = async |owner: &str, wanted: Wanted| {
            let (found, total) = templates.list(owner, &wanted, 0, 10).await.unwrap();
            assert_eq!(found.len() as u64, total);
            let mut names: Vec<_> = found.into_iter().map(|template| template.name).collect();
            names.sort();
            names
        };
        assert_eq!(names("alice", Wanted::default()).await, ["mine", "shared"]);
        assert_eq!(names("bob", Wanted::default()).await, ["his", "shared"]);
        let devops = Wanted { category: Some("DEVOPS".into()), public: None };
        assert_eq!(names("bob", devops).await, ["shared"]);
        assert_eq!(names("bob", Wanted { public: Some(false), category: None }).await, ["his"]);
        assert_eq!(templates.get("bob", &shared.id).await.unwrap().name, "shared");
        assert!(templates.get("bob", &mine.id).await.is_err());
        assert!(templates.replace("bob", &shared.id, words("stolen", "X", true)).await.is_err());
        assert!(templates.delete("bob", &shared.id).await.is_err());
        templates.replace("alice", &shared.id, words("closed", "X", false)).await.unwrap();
        assert!(templates.get("bob", &shared.id).await.is_err());
        assert_eq!(names("bob", Wanted::default()).await, ["his"]);
        templates.delete("alice", &mine.id).await.unwrap();
        assert_eq!(names("alice", Wanted::default()).await, ["closed"]);
    }
}
