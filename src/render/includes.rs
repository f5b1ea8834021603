//! Which templates are a site's own, or may include one that is: these run under guard.

use std::collections::BTreeMap;

use crate::catalog::{Catalog, Template};

use super::resolve;
use super::scan::{Part, Piece, Token, pieces};

/// The names of all templates and rules of a site's own, and of those that include one of them, however far down, with what they include.
pub(super) fn guarded(catalog: &Catalog) -> BTreeMap<String, Option<String>> {
    let templates = || catalog.kinds.iter().flat_map(|kind| kind.templates.iter().chain(&kind.partials)).chain(&catalog.shared);
    let rules = catalog.kinds.iter().filter(|kind| kind.own).flat_map(|kind| kind.rules().map(|rule| (rule.name.clone(), None)));
    let mut guarded: BTreeMap<String, Option<String>> = rules.collect();
    if !templates().any(Template::is_own) {
        return guarded;
    }
    let mut included = BTreeMap::new();
    for template in templates() {
        match named(template).filter(|_| !template.is_own()) {
            Some(names) => _ = included.insert(&template.path, names),
            None => _ = guarded.insert(template.path.clone(), None),
        }
    }
    loop {
        let before = guarded.len();
        for (path, names) in &included {
            if let Some(name) = names.iter().find(|name| guarded.contains_key(*name)) {
                guarded.entry((*path).clone()).or_insert(Some(name.clone()));
            }
        }
        if guarded.len() == before {
            return guarded;
        }
    }
}

/// The templates that a template includes, imports or extends; `None` where a name is not written out, and so may be any.
fn named(template: &Template) -> Option<Vec<String>> {
    let text: &str = &template.text;
    let mut names = Vec::new();
    for piece in pieces(text, template.language)?.iter().filter(|piece| piece.part == Part::Tag) {
        if matches!(piece.word(text, 0), Some("include" | "import" | "from" | "extends")) {
            names.push(resolve(literal(piece, text)?, &template.path));
        }
    }
    Some(names)
}

/// The one name that a tag states as text.
fn literal<'a>(piece: &Piece, text: &'a str) -> Option<&'a str> {
    let Some(Token::Str(range)) = piece.tokens.get(1) else { return None };
    let plain = piece.tokens.len() == 2 || matches!(piece.word(text, 2), Some("import" | "as" | "ignore" | "with" | "without"));
    let name = &text[range.start + 1..range.end - 1];
    (plain && !name.contains('\\')).then_some(name)
}
