//! The score of a finding: points of the rule, and of where and how the value was written.

mod address;
mod quotation;
mod texture;

use crate::{
    detect::{Match, ValueContext, Writing, is_development, is_document},
    words::WORDS,
};
pub(crate) use quotation::Quotations;
use shared::{AttackType, Class, Confidence, ScorePart, point::Tag, ruleset::Content};
use std::cell::OnceCell;
use texture::{has_words_of_attack, is_binary, is_opaque, is_random, is_text};

/// The longest value, as a multiple of the match, that is not a program.
const MAX_VALUE_PER_MATCH: usize = 12;

/// Points for binary data and random characters that may disguise an attack.
const NOISE_ELSEWHERE: i8 = -2;

/// The start of the signature ids of custom detectors.
const CUSTOM: &str = "rule-";

/// What surrounds a match.
pub(crate) struct Surroundings<'v> {
    /// The value in one decoding stage.
    pub value: &'v [u8],
    pub context: &'v ValueContext<'v>,
    /// What a rule says that people write in the field.
    pub declared: Option<Content>,
    /// Whether HTML entities were decoded; quoted markup is escaped.
    pub is_unescaped: bool,
    pub quotations: Quotations<'v>,
    /// Whether the value is binary data, once it is known.
    pub is_binary: OnceCell<bool>,
    /// Whether the characters of the value look random, once it is known.
    pub is_opaque: OnceCell<bool>,
}

/// The parts of the score of a match.
pub(crate) fn parts(
    hit: &Match<'_>,
    class: Option<&Class>,
    surroundings: &Surroundings<'_>,
) -> Vec<ScorePart> {
    if hit.signature.starts_with(CUSTOM) {
        return vec![ScorePart::new(ScorePart::of_rule(Confidence::High).points, "custom rule")];
    }
    let Surroundings { value, context, declared, .. } = *surroundings;
    let mut parts = vec![ScorePart::of_rule(confidence(hit, class))];
    if hit.signature == "scanner-agent" && context.is_address_header() {
        parts.push(ScorePart::new(-5, "the address of a site"));
    }
    if !is_about_text(&hit.attack_type) {
        return parts;
    }
    if is_about_file(hit) && declared.is_none() {
        return parts;
    }
    match declared {
        Some(kind) => parts.extend(of_declared(hit, kind, &surroundings.quotations)),
        None => parts.extend(writing(hit, surroundings)),
    }
    parts.extend(position(hit, value, context));
    let lists = &WORDS.confidence;
    let is_part = 2 * hit.span.len() < value.len();
    let is_among_others =
        || is_text(value) || context.is_in_report() || value.len() > MAX_VALUE_PER_MATCH * hit.span.len();
    if is_part && lists.fragments.contains(hit.signature) && is_among_others() {
        parts.push(ScorePart::new(-4, "a fragment of a longer value"));
    }
    parts.extend(address::part(hit, value, context));
    parts.extend(path(hit, value, context));
    // `alert('x') tutorial`: a search; script goes on after an operator.
    let after = value.get(hit.span.end..).unwrap_or_default();
    if hit.signature == "xss-script-breakout" && hit.span.start == 0 && begins_sentence(after) {
        parts.push(ScorePart::new(-3, "words after a call"));
    }
    if (is_part || hit.signature != "ptrav-climb") && context.is_in_report_field() {
        parts.push(ScorePart::new(-4, "in a report of a program"));
    }
    if matches!(hit.attack_type, AttackType::Xss | AttackType::Rce) && context.is_blocked_code() {
        parts.push(ScorePart::new(-4, "code that a browser refused to run"));
    }
    if hit.attack_type == AttackType::Rce && context.is_script_of_package() && is_development(value) {
        parts.push(ScorePart::new(-5, "a script of a package"));
    }
    parts.extend(texture(hit, class, surroundings));
    parts
}

/// What the words and names around a path say.
fn path(hit: &Match<'_>, value: &[u8], context: &ValueContext<'_>) -> Option<ScorePart> {
    let is_unix_file = hit.signature == "ptrav-unix-file";
    let matched = value.get(hit.span.clone()).unwrap_or_default();
    let after = value.get(hit.span.end..).unwrap_or_default();
    if is_unix_file && hit.span.start == 0 && value.starts_with(b"etc/") && !context.is_for_file() {
        return Some(ScorePart::new(-4, "a relative path"));
    }
    // `/docs/etc/passwd-format`; `/home/a/.git-credentials` is a file.
    let is_account_file = || [&b"passwd"[..], b"shadow", b"group"].iter().any(|it| matched.ends_with(it));
    let continues = matches!(after, [b'-', letter, ..] if letter.is_ascii_alphabetic());
    if is_unix_file && continues && is_account_file() {
        return Some(ScorePart::new(-4, "a page with a longer name"));
    }
    if hit.signature == "ptrav-bare-step" && context.is_in_query() && context.is_for_file() {
        return Some(ScorePart::new(2, "in a parameter for files"));
    }
    let is_mentioned = WORDS.confidence.mentioned.contains(hit.signature) && context.is_parameter();
    (is_mentioned && is_in_sentence(hit, value, context)).then(|| ScorePart::new(-3, "a path after words"))
}

/// What the bytes of a value say: no interpreter reads binary data or random characters. Elsewhere
/// than in whole bodies and files they may disguise an attack, so padding excuses nothing, and a match
/// that is no chance keeps most of its points.
fn texture(hit: &Match<'_>, class: Option<&Class>, surroundings: &Surroundings<'_>) -> Option<ScorePart> {
    let Surroundings { value, context, .. } = *surroundings;
    let matched = value.get(hit.span.clone()).unwrap_or_default();
    let is_binary = || *surroundings.is_binary.get_or_init(|| is_binary(value)) && !reads_binary(class);
    let is_field = !context.is_file() && !context.is_whole_body();
    let (noise, name) = if is_binary() {
        (-6, "in binary data")
    } else if *surroundings.is_opaque.get_or_init(|| is_opaque(value)) && !has_words_of_attack(matched) {
        (-5, "in random characters")
    } else {
        return None;
    };
    if is_field && !is_random(value) {
        return None;
    }
    let is_chance = WORDS.confidence.chance.contains(hit.signature);
    let is_noise = if is_field {
        is_chance && !has_words_of_attack(matched)
    } else {
        // Control bytes before a text do not make it a file.
        is_chance || noise == -5 || !(context.is_whole_body() && context.claims_text())
    };
    Some(ScorePart::new(if is_noise { noise } else { NOISE_ELSEWHERE }, name))
}

/// What the point of a value says about addresses, paths and conditions.
fn position(hit: &Match<'_>, value: &[u8], context: &ValueContext<'_>) -> Option<ScorePart> {
    let lists = &WORDS.confidence;
    let is_remote = hit.signature.starts_with("ptrav-remote");
    if context.is_page_header() && is_remote {
        return Some(ScorePart::new(-7, "the address of the page"));
    }
    // No browser sends one in a header, and no program names a field like one.
    let is_written = || context.is_parameter() && context.last_tag() != Some(&Tag::Name);
    if hit.signature == "rce-shellshock-definition" && is_written() {
        return Some(ScorePart::new(-4, "a function without a command after it"));
    }
    let is_internal = matches!(hit.signature, "ssrf-loopback" | "ssrf-private-network");
    if (is_internal || is_remote) && context.is_page_address() {
        return Some(ScorePart::new(-3, "the address of a page"));
    }
    let is_operator =
        hit.signature.starts_with("nosqli-operator") || hit.signature == "nosqli-comparison-key";
    // `?$where=…` of the Socrata API; an injected operator is a key of JSON.
    let is_option = || value == b"$where" && !context.is_in_document_format();
    if is_operator && (context.is_in_condition() || is_option()) {
        return Some(ScorePart::new(-3, "in a condition of an API"));
    }
    if hit.signature == "sqli-comparison" && context.is_in_condition() {
        return Some(ScorePart::new(-5, "a condition in a field for conditions"));
    }
    if hit.signature == "sqli-tautology" && continues_condition(hit, value) {
        return Some(ScorePart::new(-3, "a condition after words, without a breakout"));
    }
    let is_query = context.is_for_sql() || context.is_for_queries() && begins_query(value);
    if is_query && lists.queries.contains(hit.signature) {
        return Some(ScorePart::new(-5, "in a field for SQL"));
    }
    if lists.mentioned.contains(hit.signature)
        && is_path(value)
        && (context.is_data_in_document() || context.is_key_of_document())
    {
        return Some(ScorePart::new(-4, "a path in a document"));
    }
    let is_header = hit.signature.starts_with("crlf-header") || hit.signature.starts_with("mail_injection");
    let is_message = || {
        context.writing().is_some()
            || context.is_whole_body()
            || context.is_unnamed_part()
            || context.is_in_report_field()
            || context.is_in_body() && begins_with_header(value)
    };
    let is_long = || memchr::memchr_iter(b'\n', value).nth(2).is_some();
    let is_list = || context.is_in_body() && context.is_in_document_format() && is_list_of_headers(value);
    if is_header && (is_message() && is_long() || is_list()) {
        return Some(ScorePart::new(-4, "a message with headers of its own"));
    }
    // Searches on other sites quote whole statements. Injections, paths and commands stay attacks.
    (lists.statements.contains(hit.signature) && context.is_in_foreign_page())
        .then(|| ScorePart::new(-4, "in the address of another site's page"))
}

/// The confidence of the rule, which the class of its signature has unless a list differs.
pub(crate) fn confidence(hit: &Match<'_>, class: Option<&Class>) -> Confidence {
    let lists = &WORDS.confidence;
    if lists.low.contains(hit.signature) {
        Confidence::Low
    } else if lists.high.contains(hit.signature) {
        Confidence::High
    } else {
        class.map_or(Confidence::High, |class| class.confidence)
    }
}

/// Whether texts may quote such an attack. Limits and file names are facts.
fn is_about_text(attack_type: &AttackType) -> bool {
    matches!(
        attack_type,
        AttackType::Sqli
            | AttackType::Xss
            | AttackType::Rce
            | AttackType::PathTraversal
            | AttackType::Nosqli
            | AttackType::Ldapi
            | AttackType::Ssti
            | AttackType::Ssi
            | AttackType::Crlf
            | AttackType::Xxe
            | AttackType::Ssrf
            | AttackType::MailInjection
    )
}

/// Whether the match is about a file as such: its name, its entries, or what it runs. Neither its text
/// nor its binary data excuses that.
fn is_about_file(hit: &Match<'_>) -> bool {
    ["rce-upload-", "xss-upload-", "ptrav-archive-"].iter().any(|start| hit.signature.starts_with(start))
}

/// A rule says what people write in the field.
fn of_declared(hit: &Match<'_>, kind: Content, quotations: &Quotations<'_>) -> Option<ScorePart> {
    Some(match kind {
        Content::Opaque => ScorePart::new(-9, "a rule declares the field opaque"),
        Content::Code => ScorePart::new(-6, "a rule declares the field as code"),
        Content::Sql if hit.attack_type == AttackType::Sqli => {
            ScorePart::new(-6, "a rule declares the field as SQL")
        }
        Content::Sql => return None,
        Content::Html if hit.attack_type == AttackType::Xss => {
            ScorePart::new(-5, "a rule declares the field as HTML")
        }
        Content::Text | Content::Markdown | Content::Html if quotations.hold(hit) => {
            ScorePart::new(-6, "quoted in a field that a rule declares as text")
        }
        Content::Text | Content::Markdown | Content::Html => {
            ScorePart::new(-4, "a rule declares the field as text")
        }
    })
}

/// People quote code and markup in fields for texts; how freely depends on the field.
fn writing(hit: &Match<'_>, surroundings: &Surroundings<'_>) -> Option<ScorePart> {
    let Surroundings { value, context, is_unescaped, ref quotations, .. } = *surroundings;
    let writing = match context.writing()? {
        Writing::Text if is_document(value) => Writing::Document,
        Writing::Text => Writing::Message,
        other => other,
    };
    if writing == Writing::Cell {
        return Some(ScorePart::new(-5, "in a cell of a notebook"));
    }
    let is_long = memchr::memchr_iter(b'\n', value.trim_ascii()).nth(1).is_some() || is_text(value);
    if writing == Writing::Code && is_long {
        return Some(ScorePart::new(-5, "in source code"));
    }
    if writing != Writing::Message && WORDS.confidence.markup.contains(hit.signature) {
        return Some(ScorePart::new(-4, "markup that editors save"));
    }
    if writing == Writing::Document && (is_unescaped || quotations.hold(hit)) {
        return Some(ScorePart::new(-6, "quoted in a document"));
    }
    let is_whole = 2 * hit.span.len() > value.len();
    let is_file = context.is_file() && memchr::memchr_iter(b'\n', value).nth(1).is_some();
    if !is_file && (is_whole || !is_text(value)) {
        return None;
    }
    match writing {
        Writing::Document => Some(ScorePart::new(-4, "in a document")),
        _ => quotations.hold(hit).then(|| ScorePart::new(-5, "quoted in a message")),
    }
}

/// `status in (1, 2) and 1=1`, `tea and 1=1`: the value begins with a word, leaves no string or
/// bracket, and the condition compares two numbers. Programs that join conditions write it; in a
/// string or in place of a number it does nothing.
fn continues_condition(hit: &Match<'_>, value: &[u8]) -> bool {
    let matched = value.get(hit.span.clone()).unwrap_or_default();
    let is_even = |quote| memchr::memchr_iter(quote, value).count().is_multiple_of(2);
    let depth = value.iter().try_fold(0_usize, |depth, byte| match byte {
        b'(' => Some(depth + 1),
        b')' => depth.checked_sub(1),
        b'#' | b'*' | b';' | b'|' | b'&' | b'`' => None,
        _ => Some(depth),
    });
    let compares_numbers = |it: &u8| it.is_ascii_digit() || b" .<=>!".contains(it);
    matched
        .split_at_checked(3)
        .is_some_and(|(word, rest)| word.eq_ignore_ascii_case(b"and") && rest.iter().all(compares_numbers))
        && value.first().is_some_and(|first| first.is_ascii_alphabetic() || !first.is_ascii())
        && depth == Some(0)
        && [b'\'', b'"'].into_iter().all(is_even)
        && memchr::memmem::find(value, b"--").is_none()
}

/// `select …`, `* | select …`, `* and status > 200 | select …`: a query and not an injection into one.
fn begins_query(value: &[u8]) -> bool {
    let value = value.trim_ascii();
    let is_select = |text: &[u8]| text.get(..7).is_some_and(|it| it.eq_ignore_ascii_case(b"select "));
    let piped = || value.splitn(2, |&byte| byte == b'|').nth(1).map_or(&b""[..], <[u8]>::trim_ascii_start);
    is_select(value) || value.starts_with(b"*") && is_select(piped())
}

/// `cache-control: no-cache`, `content-type: text/html`: each line is a header, as scripts report
/// those of a response. Browsers hide `Set-Cookie` from scripts (Fetch standard), so a list with it is
/// an injection.
fn is_list_of_headers(value: &[u8]) -> bool {
    const HIDDEN: &[u8] = b"set-cookie";
    let is_hidden =
        |line: &[u8]| line.get(..HIDDEN.len()).is_some_and(|name| name.eq_ignore_ascii_case(HIDDEN));
    let mut lines = value.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii_end);
    lines.all(|line| line.is_empty() || begins_with_header(line) && !is_hidden(line))
}

/// `From: x`
fn begins_with_header(value: &[u8]) -> bool {
    let name = value.split(|&byte| byte == b':').next().unwrap_or_default();
    let is_token = !name.is_empty() && name.iter().all(|it| it.is_ascii_alphanumeric() || *it == b'-');
    is_token && value[name.len()..].starts_with(b": ")
}

/// ` tutorial for beginners`: words, on one line.
fn begins_sentence(after: &[u8]) -> bool {
    let is_word = |it: &u8| it.is_ascii_alphanumeric() || b" ,.?!".contains(it);
    let first = after.trim_ascii().split(|&byte| byte == b' ').next().unwrap_or_default();
    matches!(after, [b' ', letter, ..] if letter.is_ascii_alphabetic())
        && after.iter().all(is_word)
        && !matches!(first, b"in" | b"instanceof")
}

/// Whether the value has no character that a shell or another language reads.
fn is_path(value: &[u8]) -> bool {
    !value.iter().any(|byte| b";|&`$<>'\"(){}".contains(byte))
}

/// Whether at least two words precede the match on its line. Words after it count only in fields for
/// texts: elsewhere an attacker may append them.
fn is_in_sentence(hit: &Match<'_>, value: &[u8], context: &ValueContext<'_>) -> bool {
    let before = &value[..hit.span.start.min(value.len())];
    let line = before.rsplit(|&byte| byte == b'\n').next().unwrap_or_default();
    let words = memchr::memrchr(b' ', line).map_or(&b""[..], |end| &line[..end]);
    // `file=x` is an assignment.
    let is_word = |word: &&[u8]| word.iter().any(u8::is_ascii_alphabetic) && !word.contains(&b'=');
    let after = value.get(hit.span.end..).unwrap_or_default();
    words.split(|&byte| byte == b' ').filter(is_word).nth(1).is_some()
        || context.writing().is_some() && after.split(|&byte| byte == b' ').skip(1).any(|word| is_word(&word))
}

/// Objects that a server deserializes are binary, and scripts are uploaded inside of pictures.
fn reads_binary(class: Option<&Class>) -> bool {
    class.is_some_and(|class| {
        matches!(&*class.subtype, "deserialization" | "code-dotnet" | "code-java" | "code-php" | "upload")
    })
}
