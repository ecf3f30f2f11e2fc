//! Templates of sessions: the owner's, and those that everybody may use.

use serde::{Deserialize, Serialize};

use super::session::{age, positive};
use super::{Change, Key, Record, Store, Stored, spaces};
use crate::model::Result;
use crate::model::session::Template;

/// Where a template stands, from a list.
#[derive(Debug, Serialize, Deserialize)]
struct Place {
    owner: String,
    id: String,
}

impl Record for Template {}
impl Record for Place {}

/// A list of templates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum List<'l> {
    /// Those of this owner, whoever may use them.
    Of(&'l str),
    /// Those of this owner that only they may use.
    Private(&'l str),
    /// Those of this owner that everybody may use.
    Shared(&'l str),
    /// Those that everybody may use.
    Public,
}

/// The template `id` that `owner` may see: their own, or one for everybody.
///
/// # Errors
/// If the store can't be read.
pub async fn visible(store: &Store, owner: &str, id: &str) -> Result<Option<Template>> {
    if let Some(own) = store.get(key(owner, id)).await? {
        return Ok(Some(own));
    }
    let Some(place) = store.get::<Place>(spaces::PUBLIC_TEMPLATES.key().text(id)).await? else { return Ok(None) };
    store.get(key(&place.owner, id)).await
}

/// Template `id` of `owner`.
///
/// # Errors
/// If the store can't be read.
pub async fn own(store: &Store, owner: &str, id: &str) -> Result<Option<Stored<Template>>> {
    store.read(key(owner, id)).await
}

/// At most `limit` of `list`, of `category` if one is named, the newest first.
///
/// # Errors
/// If the store can't be read.
pub async fn page(store: &Store, list: List<'_>, category: Option<&str>, limit: usize) -> Result<Vec<Template>> {
    let places = store.list::<Place>(list_key(list, category).within(), limit).await?;
    let keys = places.iter().map(|place| key(&place.record.owner, &place.record.id)).collect();
    Ok(store.get_all(keys).await?.into_iter().flatten().collect())
}

/// How many are in `list`, of `category` if one is named.
///
/// # Errors
/// If the store can't be read.
pub async fn count(store: &Store, list: List<'_>, category: Option<&str>) -> Result<u64> {
    Ok(positive(store.counters(vec![count_key(list, category)]).await?.first()))
}

/// Adds `template`, whose id nobody has yet.
///
/// # Errors
/// If it can't be written down.
pub fn insert(change: &mut Change, template: &Template) -> Result<()> {
    change.insert(key(&template.owner, &template.id), template)?;
    enter(change, template)
}

/// `template` stands where `old` must still stand.
///
/// # Errors
/// If it can't be written down.
pub fn replace(change: &mut Change, old: &Stored<Template>, template: &Template) -> Result<()> {
    leave(change, &old.record);
    change.replace(old, template)?;
    enter(change, template)
}

/// Takes `old` out.
pub fn remove(change: &mut Change, old: &Stored<Template>) {
    leave(change, &old.record);
    change.remove(old);
}

fn enter(change: &mut Change, template: &Template) -> Result<()> {
    let place = Place { owner: template.owner.clone(), id: template.id.clone() };
    if template.public {
        change.put(spaces::PUBLIC_TEMPLATES.key().text(&template.id), &place)?;
    }
    for (list, category) in lists(template) {
        change.put(entry(list, category, template), &place)?;
        change.add(count_key(list, category), 1);
    }
    Ok(())
}

fn leave(change: &mut Change, template: &Template) {
    change.delete(spaces::PUBLIC_TEMPLATES.key().text(&template.id));
    for (list, category) in lists(template) {
        change.delete(entry(list, category, template));
        change.add(count_key(list, category), -1);
    }
}

/// The lists that `template` stands in, each with and without its category.
fn lists(template: &Template) -> Vec<(List<'_>, Option<&str>)> {
    let owner = template.owner.as_str();
    let of = if template.public {
        [Some(List::Shared(owner)), Some(List::Public)]
    } else {
        [Some(List::Private(owner)), None]
    };
    let lists = [Some(List::Of(owner))].into_iter().chain(of).flatten();
    lists
        .flat_map(|list| {
            let category = template.category.as_deref().map(|category| (list, Some(category)));
            [Some((list, None)), category].into_iter().flatten()
        })
        .collect()
}

fn key(owner: &str, id: &str) -> Key {
    spaces::TEMPLATES.key().text(owner).text(id)
}

fn named(key: Key, list: List<'_>, category: Option<&str>) -> Key {
    let (list, owner) = match list {
        List::Of(owner) => ("of", owner),
        List::Private(owner) => ("private", owner),
        List::Shared(owner) => ("shared", owner),
        List::Public => ("public", ""),
    };
    key.text(owner).text(list).text(category.unwrap_or_default())
}

fn list_key(list: List<'_>, category: Option<&str>) -> Key {
    named(spaces::TEMPLATE_LISTS.key(), list, category)
}

fn entry(list: List<'_>, category: Option<&str>, template: &Template) -> Key {
    list_key(list, category).number(age(template.created.as_millisecond())).text(&template.id)
}

fn count_key(list: List<'_>, category: Option<&str>) -> Key {
    named(spaces::TEMPLATE_COUNTS.key(), list, category)
}
