//! For people: the look of rustc, by annotate-snippets.

use annotate_snippets::{AnnotationKind, Element, Group, Level, Origin, Renderer, Snippet};

use super::places::Places;
use super::visible::visible;
use super::window::{near, window};
use super::{Options, count, counted};
use crate::diag::{Diag, Label, Severity};
use crate::source::Span;

/// Stands for "path:line:column" until the report is laid out. annotate-snippets counts columns in the text it is given, and ours is cut
/// and escaped; a noncharacter, which [`visible`] never lets through, marks where the true place goes.
const PLACE: &str = "\u{fdd0}";

/// How many findings are laid out: more than a person reads at once. The most severe of them are.
const SHOWN: usize = 300;

/// The findings, an empty line between them, and closing lines that count.
pub(super) fn render(diags: &[Diag], places: &Places<'_>, options: &Options) -> String {
    let renderer = if options.color { Renderer::styled().hyperlink(false) } else { Renderer::plain() }.term_width(options.width);
    let mut out = String::new();
    let mut by_severity: Vec<usize> = (0..diags.len()).collect();
    by_severity.sort_by_key(|at| diags[*at].severity);
    let left_out = by_severity.split_off(diags.len().min(SHOWN));
    by_severity.sort_unstable();
    for diag in by_severity.into_iter().map(|at| &diags[at]) {
        out.push_str(&report(diag, places, &renderer, options.width));
        out.push_str("\n\n");
    }
    if !left_out.is_empty() {
        let more: usize = left_out.iter().map(|at| diags[*at].stands_for).sum();
        out.push_str(&left_out_line(more, options.command));
    }
    if !diags.is_empty() {
        out.push_str(&summary(diags));
        out.push('\n');
    }
    out
}

fn report(diag: &Diag, places: &Places<'_>, renderer: &Renderer, width: usize) -> String {
    let level = match diag.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let mut group = Group::with_title(level.primary_title(visible(&diag.message)).id(diag.code.name()));
    let mut heads = Vec::new();
    for labels in windows(diag, places, width) {
        heads.push(place(places, labels[0].span));
        group = group.elements(elements(&labels, std::ptr::eq(labels[0], &raw const diag.primary), places, width));
    }
    group = group.elements(diag.help.iter().map(|help| Level::HELP.message(visible(help))));
    with_places(&renderer.render(&[group]), &heads)
}

/// The labels by the window they share: the primary one first, then in their order.
fn windows<'a>(diag: &'a Diag, places: &Places<'_>, width: usize) -> Vec<Vec<&'a Label>> {
    let mut windows = vec![vec![&diag.primary]];
    for label in &diag.related {
        let joins = |window: &&mut Vec<&Label>| !places.text(label.span.file).is_empty() && near(places, window[0].span, label.span, width);
        match windows.iter_mut().find(joins) {
            Some(window) => window.push(label),
            None => windows.push(vec![label]),
        }
    }
    windows
}

fn elements<'a>(labels: &[&Label], primary: bool, places: &Places<'_>, width: usize) -> Vec<Element<'a>> {
    if places.text(labels[0].span.file).is_empty() {
        // Nothing to show of a file that is empty or could not be read.
        let note = Some(visible(&labels[0].text)).filter(|text| !text.is_empty()).map(|text| Level::NOTE.message(text).into());
        return std::iter::once(Origin::path(PLACE).into()).chain(note).collect();
    }
    let spans: Vec<Span> = labels.iter().map(|label| label.span).collect();
    let window = window(places, &spans, width);
    let mut snippet = Snippet::source(window.source).line_start(window.line_start).path(PLACE);
    for (index, (label, mark)) in labels.iter().zip(window.marks).enumerate() {
        let kind = if primary && index == 0 { AnnotationKind::Primary } else { AnnotationKind::Context };
        let text = Some(visible(&label.text)).filter(|text| !text.is_empty());
        snippet = snippet.annotation(kind.span(mark).label(text));
    }
    vec![snippet.into()]
}

fn place(places: &Places<'_>, span: Span) -> String {
    let at = places.start(span);
    format!("{}:{}:{}", visible(places.path(span.file)), at.line, at.column)
}

/// Puts the true places where [`PLACE`] and annotate-snippets' own line and column stand.
fn with_places(report: &str, heads: &[String]) -> String {
    let mut parts = report.split(PLACE);
    let mut out = parts.next().unwrap_or_default().to_owned();
    for (part, head) in parts.zip(heads) {
        out.push_str(head);
        out.push_str(part.trim_start_matches(|c: char| c == ':' || c.is_ascii_digit()));
    }
    out.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

fn left_out_line(more: usize, command: &str) -> String {
    format!("{more} more are not shown here; `{command} --format json` lists them.\n")
}

fn summary(diags: &[Diag]) -> String {
    let counts: Vec<String> = [Severity::Error, Severity::Warning, Severity::Note]
        .into_iter()
        .map(|severity| (count(diags, severity), severity))
        .filter(|(count, _)| *count > 0)
        .map(|(count, severity)| counted(count, severity))
        .collect();
    format!("{}. `ringfence explain CODE` tells more.", counts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::Code;
    use crate::source::Files;

    #[test]
    fn beyond_some_hundred_the_most_severe_are_shown_where_they_stand() {
        let mut files = Files::default();
        let file = files.add("a.yaml", "x\n".repeat(1000));
        let at = |line: u32| Span { file, start: line * 2, end: line * 2 + 1 };
        let mut diags: Vec<Diag> = (0..400).map(|line| Diag::new(Code::GatewayUnused, at(line), "unused")).collect();
        diags.push(Diag::new(Code::UnknownKey, at(500), "unknown"));
        diags[399].stands_for = 7;
        let text = render(&diags, &Places::new(&files, &diags), &Options::default());
        let heads: Vec<&str> = text.lines().filter(|line| line.contains("]: ")).collect();
        assert_eq!(heads.len(), SHOWN);
        assert!(heads[SHOWN - 1].starts_with("error[unknown-key]"));
        let last: Vec<&str> = text.lines().rev().take(2).collect();
        assert_eq!(last[1], "107 more are not shown here; `ringfence check --format json` lists them.");
        assert!(last[0].starts_with("1 error, 406 warnings."), "{}", last[0]);
    }
}
