//! One face for both template languages.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use crate::catalog::{Catalog, Kind, Language, Rule, Template};
use crate::decode::Findings;
use crate::diag::Code;
use crate::source::Span;

use super::bounds;
use super::failure::{Failure, Fault, Places};
use super::guard::{Guard, caught, with_room};
use super::includes;
use super::jinja::{BEFORE_EXPRESSION, Jinja};
use super::limits;
use super::lint;
use super::scan::scan;
use super::tera::TeraSet;
use super::view::{View, ViewValue};
use super::written;

/// What is done with the text of that name, for a view.
trait Work<T>: FnOnce(&Jinja, &str, &View) -> Result<T, Fault> + Send + 'static {}

impl<T, F: FnOnce(&Jinja, &str, &View) -> Result<T, Fault> + Send + 'static> Work<T> for F {}

/// Every template and rule of a catalog, compiled. Used from many threads at once.
pub struct Engine {
    jinja: Arc<Jinja>,
    guard: Guard,
    /// The names of what a site wrote itself, or may include what it wrote; and which.
    guarded: BTreeMap<String, Option<String>>,
    /// By kind: only those that have templates in this language.
    tera: BTreeMap<String, TeraSet>,
    places: Places,
}

impl Engine {
    /// Compiles a catalog. Every template that does not compile is a finding; rendering it would fail too.
    pub fn new(catalog: &Catalog) -> (Self, Findings) {
        let guarded = includes::guarded(catalog);
        if guarded.is_empty() { Self::compile(catalog, guarded) } else { with_room(|| Self::compile(catalog, guarded)) }
    }

    fn compile(catalog: &Catalog, guarded: BTreeMap<String, Option<String>>) -> (Self, Findings) {
        let mut engine =
            Self { jinja: Arc::new(Jinja::new()), guard: Guard::default(), guarded, tera: BTreeMap::new(), places: Places::default() };
        let mut jinja = Jinja::new();
        let mut findings = Findings::new();
        for kind in &catalog.kinds {
            engine.add_rules(kind, &mut jinja, &mut findings);
        }
        let owned = catalog.kinds.iter().flat_map(|kind| kind.templates.iter().chain(&kind.partials));
        let mut refused = BTreeSet::new();
        for template in catalog.shared.iter().chain(owned) {
            if !engine.add_template(template, &mut jinja, &mut findings) {
                refused.insert(template.path.as_str());
            }
        }
        for kind in &catalog.kinds {
            // What includes one that its engine may not see would be found wrong for that.
            let partials = kind.partials.iter().chain(&catalog.shared);
            if kind.templates.iter().chain(partials).any(|template| refused.contains(template.path.as_str())) {
                continue;
            }
            let mut faults = Vec::new();
            let tera = caught(&kind.path.name, || Ok(TeraSet::new(kind, &catalog.shared, &mut faults)));
            match tera {
                Ok(tera) => engine.tera.extend(tera.map(|tera| (kind.id.clone(), tera))),
                Err(fault) => faults.push(fault),
            }
            findings.extend(faults.into_iter().map(|fault| engine.failure(fault, kind.path.span).into_diag()));
        }
        engine.jinja = Arc::new(jinja);
        (engine, findings)
    }

    fn add_rules(&mut self, kind: &Kind, jinja: &mut Jinja, findings: &mut Findings) {
        let Rule { name, text, span, .. } = &kind.path;
        self.places.add_rule(&kind.path, 0);
        let exceeded = bounds::exceeded(name, text, &scan(text, Language::Jinja).pieces);
        let added = exceeded.map_or_else(|| caught(name, || jinja.add_template(name, text.clone())), Err);
        let explained = added.map_err(|fault| lint::explain(fault, text, Language::Jinja));
        findings.extend(explained.err().map(|fault| self.failure(fault, *span).into_diag()));
        for rule in kind.when.iter().chain(&kind.for_each) {
            self.places.add_rule(rule, BEFORE_EXPRESSION.len());
            let exceeded = bounds::exceeded_by_rule(rule);
            let added = exceeded.map_or_else(|| caught(&rule.name, || jinja.add_expression(&rule.name, &rule.text)), Err);
            let help = "It is an expression without braces, such as `namespace.tier == \"high\"`.";
            let explained = added.map_err(|fault| Fault { help: fault.help.clone().or_else(|| Some(help.to_owned())), ..fault });
            findings.extend(explained.err().map(|fault| self.failure(fault, rule.span).into_diag()));
        }
    }

    /// Takes a template; says whether an engine may see it.
    fn add_template(&mut self, template: &Template, jinja: &mut Jinja, findings: &mut Findings) -> bool {
        self.places.add_template(template);
        let faults = lint::check(template);
        let bounded = !faults.iter().any(|fault| fault.limit);
        findings.extend(faults.into_iter().map(|fault| self.failure(fault, template.start()).into_diag()));
        if bounded && template.language == Language::Jinja {
            let added = caught(&template.path, || jinja.add_template(&template.path, template.text.clone().into_owned()));
            let explained = added.map_err(|fault| lint::explain(fault, &template.text, Language::Jinja));
            findings.extend(explained.err().map(|fault| self.failure(fault, template.start()).into_diag()));
        }
        bounded
    }

    /// Whether a kind makes its object for this view: what `when` says, and always where it says nothing.
    pub fn condition(&self, kind: &Kind, view: &View) -> Result<bool, Failure> {
        kind.when.as_ref().map_or(Ok(true), |rule| self.ask(rule, view, Jinja::is_true))
    }

    /// The items of `forEach`; none of them where the kind makes one object for a view.
    pub fn items(&self, kind: &Kind, view: &View) -> Result<Vec<Arc<ViewValue>>, Failure> {
        let Some(rule) = &kind.for_each else { return Ok(Vec::new()) };
        // A list of the view, however large, may be taken whole; one that grows in the expression may not.
        let most = if self.guarded.contains_key(&rule.name) { limits::VALUES + view.size() } else { usize::MAX };
        let items = self.ask(rule, view, move |jinja, name, view| jinja.items(name, view, most))?;
        Ok(items.into_iter().map(ViewValue::new).collect())
    }

    /// Where the object of this view is written, below the layer's folder or the output's root.
    pub fn path(&self, kind: &Kind, view: &View) -> Result<String, Failure> {
        self.ask(&kind.path, view, Jinja::render)
    }

    /// Renders one of a kind's templates.
    ///
    /// # Panics
    /// Where the kind has no template of that number.
    pub fn render(&self, kind: &Kind, template: usize, view: &View) -> Result<String, Failure> {
        let template = &kind.templates[template];
        let rendered = match (template.language, self.tera.get(&kind.id)) {
            (Language::Tera, Some(tera)) => {
                let render = || tera.render(&template.path, view);
                self.guard.once_in_time(&template.path, || caught(&template.path, render))
            }
            _ => self.work(&template.path, view, Jinja::render),
        };
        let rendered = rendered.map_err(|fault| self.failure(fault, template.start()))?;
        if rendered.len() > limits::OUTPUT_BYTES {
            return Err(self.failure(Fault::too_much(), template.start()));
        }
        Ok(rendered)
    }

    /// Where in the template, or in one that it includes, a range of the rendered text was written: for what is wrong with it that shows
    /// only in the output. The template's beginning where that cannot be told.
    ///
    /// # Panics
    /// Where the kind has no template of that number.
    pub fn locate(&self, kind: &Kind, template: usize, view: &View, range: &Range<usize>) -> Span {
        let template = &kind.templates[template];
        let parts = match (template.language, self.tera.get(&kind.id)) {
            (Language::Tera, Some(tera)) => with_room(|| tera.written(&template.path, view)),
            _ if self.guarded.contains_key(&template.path) => with_room(|| self.jinja.written(&template.path, view)),
            _ => self.jinja.written(&template.path, view),
        };
        let place = written::place(&parts, range).and_then(|(name, range)| self.places.span(&name, Some(range)));
        place.unwrap_or_else(|| template.start())
    }

    /// Lets a rule be worked on; what is wrong with it is shown where it stands.
    fn ask<T: Send + 'static>(&self, rule: &Rule, view: &View, work: impl Work<T>) -> Result<T, Failure> {
        self.work(&rule.name, view, work).map_err(|fault| self.failure(fault, rule.span))
    }

    /// Lets `MiniJinja` work on a text, under guard where a site wrote it.
    fn work<T: Send + 'static>(&self, name: &str, view: &View, work: impl Work<T>) -> Result<T, Fault> {
        let Some(includes) = self.guarded.get(name) else { return work(&self.jinja, name, view) };
        let (jinja, asked, view) = (Arc::clone(&self.jinja), name.to_owned(), view.clone());
        let done = self.guard.within_time(name, move || work(&jinja, &asked, &view));
        done.map_err(|fault| match includes {
            Some(other) if fault.range.is_none() => {
                Fault { help: Some(format!("It includes `{other}`, which is not the built-in one any more.")), ..fault }
            }
            _ => fault,
        })
    }

    /// `asked` is what was rendered, for where the engine does not say which text failed.
    fn failure(&self, fault: Fault, asked: Span) -> Failure {
        let code = if fault.limit { Code::TemplateLimit } else { Code::TemplateError };
        let span = self.places.span(&fault.name, fault.range).unwrap_or(asked);
        let help = "Mend the template here: what a kind's templates may use is in its folder, and in those of the built-in kinds.";
        Failure { code, span, message: fault.message, help: fault.help.or_else(|| Some(help.to_owned())), related: None }
    }
}
