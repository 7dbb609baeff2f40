//! The tree of points of a request, as text.

use engine::ExplainedField;
use shared::{
    Finding,
    point::{Key, Step},
};
use std::fmt;

/// Longer texts are truncated; the JSON has more of them.
const SHOWN_CHARS: usize = 160;

/// A point, its fields and the points inside it, in the order of the request.
#[derive(Default)]
pub(super) struct Branch<'a> {
    inside: Vec<(&'a Step, Branch<'a>)>,
    fields: Vec<&'a ExplainedField>,
}

impl<'a> Branch<'a> {
    pub(super) fn of(fields: &'a [ExplainedField]) -> Self {
        let mut root = Self::default();
        for field in fields {
            let branch = field.point.0.iter().fold(&mut root, Self::at);
            branch.fields.push(field);
        }
        root
    }

    fn at(&mut self, step: &'a Step) -> &mut Self {
        let known = self.inside.iter().position(|(other, _)| *other == step);
        let at = known.unwrap_or_else(|| {
            self.inside.push((step, Self::default()));
            self.inside.len() - 1
        });
        &mut self.inside[at].1
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, depth: usize) -> fmt::Result {
        let margin = "  ".repeat(depth);
        for field in &self.fields {
            write_field(f, &margin, field)?;
        }
        for (step, branch) in &self.inside {
            writeln!(f, "{margin}{}", label(step))?;
            branch.write(f, depth + 1)?;
        }
        Ok(())
    }
}

impl fmt::Display for Branch<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, 0)
    }
}

/// Writes each layer, and below it its findings.
fn write_field(f: &mut fmt::Formatter<'_>, margin: &str, field: &ExplainedField) -> fmt::Result {
    for (stage, layer) in field.layers.iter().enumerate() {
        write!(f, "{margin}{:<8} {}", layer.name, shown(&layer.value))?;
        match field.decoded.as_slice() {
            [_, ..] if stage == 0 => writeln!(f, "  (read from {})", field.decoded.join(", "))?,
            _ => writeln!(f)?,
        }
        let found_here = |finding: &&Finding| finding.decoded.len() == field.decoded.len() + stage;
        field.findings.iter().filter(found_here).try_for_each(|it| write_finding(f, margin, it))?;
    }
    // An exhausted budget has no layer.
    let is_unread = field.layers.is_empty();
    field.findings.iter().filter(|_| is_unread).try_for_each(|it| write_finding(f, margin, it))
}

fn label(step: &Step) -> String {
    let tag = step.tag.as_str();
    match &step.key {
        None => tag.to_owned(),
        Some(Key::Name(name)) => format!("{tag} {}", shown(name)),
        Some(Key::Index(index)) => format!("{tag} {index}"),
    }
}

fn write_finding(f: &mut fmt::Formatter<'_>, margin: &str, finding: &Finding) -> fmt::Result {
    let severity = format!("{:?}", finding.severity).to_lowercase();
    write!(f, "{margin}! {}: {}, {severity}", finding.attack_type.title(), finding.signature)?;
    let Some(class) = &finding.class else { return writeln!(f) };
    let confidence = format!("{:?}", class.confidence).to_lowercase();
    writeln!(f, ", {confidence} confidence, {}", class.subtype)?;
    let (start, end) = finding.span;
    writeln!(f, "{margin}  bytes {start}..{end}: {}", shown(&finding.payload))?;
    let score: Vec<_> = finding.score.iter().map(ToString::to_string).collect();
    writeln!(f, "{margin}  score {}: {}", finding.points(), score.join(", "))?;
    let numbered = |prefix: &'static str, numbers: &[u16]| {
        numbers.iter().map(move |it| format!("{prefix}-{it}")).collect::<Vec<_>>()
    };
    let names = [numbered("CWE", &class.cwe), class.owasp.clone(), numbered("CAPEC", &class.capec)].concat();
    if names.is_empty() { Ok(()) } else { writeln!(f, "{margin}  {}", names.join(" ")) }
}

/// Escapes text of an attacker for a terminal.
fn shown(text: &str) -> String {
    let mut out = String::new();
    for letter in text.chars().take(SHOWN_CHARS) {
        match letter {
            letter if letter.is_control() => out.extend(letter.escape_default()),
            letter => out.push(letter),
        }
    }
    if text.chars().nth(SHOWN_CHARS).is_some() {
        out.push('…');
    }
    out
}
