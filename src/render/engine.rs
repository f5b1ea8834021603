//! One face for both template languages.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use crate::catalog::{Catalog, Kind, Language, Rule, Template};
use crate::decode::Findings;
use crate::diag::Code;
use crate::source::Span;

use super::deadline::Deadline;
use super::failure::{Failure, Fault, Places};
use super::jinja::{BEFORE_EXPRESSION, Jinja};
use super::limits;
use super::lint;
use super::tera::TeraSet;
use super::view::{View, ViewValue};
use super::written;

/// Every template and rule of a catalog, compiled. Used from many threads at once.
pub struct Engine {
    jinja: Arc<Jinja>,
    deadline: Deadline,
    /// By kind: only those that have templates in this language.
    tera: BTreeMap<String, TeraSet>,
    places: Places,
}

impl Engine {
    /// Compiles a catalog. Every template that does not compile is a finding; rendering it would fail too.
    pub fn new(catalog: &Catalog) -> (Self, Findings) {
        let mut engine =
            Self { jinja: Arc::new(Jinja::new()), deadline: Deadline::default(), tera: BTreeMap::new(), places: Places::default() };
        let mut jinja = Jinja::new();
        let mut findings = Findings::new();
        for kind in &catalog.kinds {
            engine.add_rules(kind, &mut jinja, &mut findings);
        }
        let owned = catalog.kinds.iter().flat_map(|kind| kind.templates.iter().chain(&kind.partials));
        for template in catalog.shared.iter().chain(owned) {
            engine.add_template(template, &mut jinja, &mut findings);
        }
        for kind in &catalog.kinds {
            let mut faults = Vec::new();
            let tera = TeraSet::new(kind, &catalog.shared, &mut faults);
            engine.tera.extend(tera.map(|tera| (kind.id.clone(), tera)));
            findings.extend(faults.into_iter().map(|fault| engine.failure(fault, kind.path.span).into_diag()));
        }
        engine.jinja = Arc::new(jinja);
        (engine, findings)
    }

    fn add_rules(&mut self, kind: &Kind, jinja: &mut Jinja, findings: &mut Findings) {
        self.places.add_rule(&kind.path, 0);
        let added = jinja.add_template(&kind.path.name, kind.path.text.clone());
        findings.extend(added.err().map(|fault| self.failure(fault, kind.path.span).into_diag()));
        for rule in kind.when.iter().chain(&kind.for_each) {
            self.places.add_rule(rule, BEFORE_EXPRESSION.len());
            let added = jinja.add_expression(&rule.name, &rule.text);
            findings.extend(added.err().map(|fault| self.failure(fault, rule.span).into_diag()));
        }
    }

    fn add_template(&mut self, template: &Template, jinja: &mut Jinja, findings: &mut Findings) {
        self.places.add_template(template);
        let faults = lint::check(template).into_iter();
        findings.extend(faults.map(|fault| self.failure(fault, template.start()).into_diag()));
        if template.language == Language::Jinja {
            let added = jinja.add_template(&template.path, template.text.clone().into_owned());
            findings.extend(added.err().map(|fault| self.failure(fault, template.start()).into_diag()));
        }
    }

    /// Whether a kind makes its object for this view: what `when` says, and always where it says nothing.
    pub fn condition(&self, kind: &Kind, view: &View) -> Result<bool, Failure> {
        kind.when.as_ref().map_or(Ok(true), |rule| Ok(self.evaluate(rule, view)?.is_true()))
    }

    /// The items of `forEach`; none of them where the kind makes one object for a view.
    pub fn items(&self, kind: &Kind, view: &View) -> Result<Vec<Arc<ViewValue>>, Failure> {
        let Some(rule) = &kind.for_each else { return Ok(Vec::new()) };
        let value = self.evaluate(rule, view)?;
        match serde_json::to_value(&value) {
            Ok(serde_json::Value::Array(items)) => Ok(items.into_iter().map(ViewValue::new).collect()),
            _ => Err(Failure {
                code: Code::TemplateError,
                span: rule.span,
                message: format!("`forEach` takes a list, not a value of type {}", value.kind()),
                help: Some("Write an expression that gives a list of the view, such as `workload.ports`.".to_owned()),
            }),
        }
    }

    /// Where the object of this view is written, below the layer's folder or the output's root.
    pub fn path(&self, kind: &Kind, view: &View) -> Result<String, Failure> {
        self.jinja.render(&kind.path.name, view).map_err(|fault| self.failure(fault, kind.path.span))
    }

    /// Renders one of a kind's templates.
    ///
    /// # Panics
    /// Where the kind has no template of that number.
    pub fn render(&self, kind: &Kind, template: usize, view: &View) -> Result<String, Failure> {
        let template = &kind.templates[template];
        let rendered = match (template.language, self.tera.get(&kind.id)) {
            (Language::Tera, Some(tera)) => tera.render(&template.path, view),
            _ if matches!(template.text, Cow::Owned(_)) => self.deadline.render(&self.jinja, &template.path, view),
            _ => self.jinja.render(&template.path, view),
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
            (Language::Tera, Some(tera)) => tera.written(&template.path, view),
            _ => self.jinja.written(&template.path, view),
        };
        let place = written::place(&parts, range).and_then(|(name, range)| self.places.span(&name, Some(range)));
        place.unwrap_or_else(|| template.start())
    }

    fn evaluate(&self, rule: &Rule, view: &View) -> Result<minijinja::Value, Failure> {
        self.jinja.evaluate(&rule.name, view).map_err(|fault| self.failure(fault, rule.span))
    }

    /// `asked` is what was rendered, for where the engine does not say which text failed.
    fn failure(&self, fault: Fault, asked: Span) -> Failure {
        let code = if fault.limit { Code::TemplateLimit } else { Code::TemplateError };
        let span = self.places.span(&fault.name, fault.range).unwrap_or(asked);
        let help = "Mend the template here: what a kind's templates may use is in its folder, and in those of the built-in kinds.";
        Failure { code, span, message: fault.message, help: fault.help.or_else(|| Some(help.to_owned())) }
    }
}
