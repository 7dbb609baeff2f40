//! Markup without script: handlers without effect, and embedded pages, forms and styles.
//!
//! Editors save such markup. It is evidence of an attack only where people write no markup.

use crate::{
    token::html::{Attribute, Tag},
    words::WORDS,
};

/// Words of a sentence about tags, and before its first tag if there are fewer: tags alone are probes.
const MIN_WORDS: usize = 3;
const MIN_WORDS_BEFORE: usize = 2;
/// Limit of the name of such a tag.
const MAX_TAG: usize = 24;
/// Longer handlers are programs.
const MAX_HANDLER_BYTES: usize = 160;

/// Whether an event handler has no effect that an attacker could use: it prints, goes back, hides an
/// element, or is a function that is never called (`{() => …}` in JSX).
pub(super) fn is_idle_handler(name: &str, code: &[u8]) -> bool {
    is_function(code)
        || is_own_call(name, code)
        || code.len() <= MAX_HANDLER_BYTES
            && without_strings(code).is_some_and(|code| words(&code).all(|word| is_idle_word(name, word)))
}

/// `{() =>`, `{handleClick}`, `{this.save}`: an expression that is not called.
fn is_function(code: &[u8]) -> bool {
    let Some(expression) = code.strip_prefix(b"{") else { return false };
    let expression = expression.strip_suffix(b"}").unwrap_or(expression);
    let head =
        memchr::memmem::find(expression, b"=>").map_or(expression, |at| &expression[..at]).trim_ascii();
    let is_name = |name: &[u8]| {
        name.iter().all(|it| it.is_ascii_alphanumeric() || matches!(it, b'_' | b'.' | b',' | b' '))
    };
    match head.strip_prefix(b"(") {
        Some(parameters) => is_name(parameters.strip_suffix(b")").unwrap_or(parameters)),
        None => is_name(head) && !head.is_empty(),
    }
}

/// `start();`, `showTab('news', 2)`: a function of the page, called by a click with plain words and
/// numbers.
fn is_own_call(name: &str, code: &[u8]) -> bool {
    let code = code.strip_suffix(b";").unwrap_or(code);
    let is_click = matches!(name, "onchange" | "onclick" | "oninput" | "onsubmit");
    let call = code.strip_suffix(b")").and_then(|it| {
        let open = memchr::memchr(b'(', it)?;
        Some((&it[..open], &it[open + 1..]))
    });
    call.is_some_and(|(function, arguments)| {
        is_click
            && !function.is_empty()
            && function.iter().all(u8::is_ascii_alphanumeric)
            && !WORDS.xss.browser_functions.contains(function)
            && arguments.split(|&byte| byte == b',').map(<[u8]>::trim_ascii).all(is_plain_argument)
    })
}

/// A number, a word in quotes, `this`, or nothing.
fn is_plain_argument(argument: &[u8]) -> bool {
    let is_plain = |it: &u8| it.is_ascii_alphanumeric() || b"-_".contains(it) || !it.is_ascii();
    let inner = [b'\'', b'"']
        .into_iter()
        .find_map(|quote| argument.strip_prefix(&[quote]).and_then(|it| it.strip_suffix(&[quote])));
    match inner {
        Some(text) => text.iter().all(is_plain),
        None => argument.iter().all(u8::is_ascii_digit) || matches!(argument, b"this" | b"event"),
    }
}

/// The code with its plain strings removed. `None` if it has escapes, computed names or URLs.
fn without_strings(code: &[u8]) -> Option<Vec<u8>> {
    let mut rest = code.iter().copied();
    let mut plain = Vec::with_capacity(code.len());
    while let Some(byte) = rest.next() {
        match byte {
            b'\'' | b'"' => {
                let is_plain =
                    |it: u8| it.is_ascii_alphanumeric() || b" -_./#%".contains(&it) || !it.is_ascii();
                let mut string = rest.by_ref().take_while(|it| *it != byte);
                if !string.all(is_plain) {
                    return None;
                }
                plain.push(b'0');
            }
            b' ' | b'.' | b'(' | b')' | b';' | b'=' | b',' | b'-' | b'!' | b'?' | b':' | b'{' | b'}' => {
                plain.push(byte);
            }
            _ if byte.is_ascii_alphanumeric() => plain.push(byte),
            _ => return None,
        }
    }
    Some(plain)
}

fn words(code: &[u8]) -> impl Iterator<Item = &[u8]> {
    code.split(|it| !it.is_ascii_alphanumeric())
        .filter(|word| word.first().is_some_and(u8::is_ascii_alphabetic))
}

/// Proofs of concept print from events that need no click.
fn is_idle_word(name: &str, word: &[u8]) -> bool {
    WORDS.xss.idle_words.contains(word) || name == "onclick" && word == b"print"
}

/// Whether an active tag only embeds a page, a picture, a form or a style by its plain address.
pub(super) fn is_embed(tag: &Tag<'_>) -> bool {
    !matches!(tag.name.as_str(), "base" | "script" | "applet" | "xss" | "handler" | "listener" | "?import")
        && tag.attributes.iter().all(is_passive)
}

/// `git replace -d <object>`: a name in brackets, which embeds nothing. Alone it is a probe.
pub(super) fn is_placeholder(tag: &Tag<'_>, value: &[u8]) -> bool {
    matches!(tag.name.as_str(), "embed" | "object")
        && tag.attributes.is_empty()
        && value.trim_ascii().len() > tag.span.len()
}

/// `what is <script> tag?`: a sentence about tags. They have no attributes and so load nothing, and its
/// words call and assign nothing, so that they are no script either.
pub(super) fn is_sentence_about_tags(value: &[u8]) -> bool {
    let mut rest = value;
    let (mut words, mut words_before) = (0, None);
    loop {
        let open = memchr::memchr(b'<', rest);
        let (text, tag) = rest.split_at(open.unwrap_or(rest.len()));
        let touches = rest.len() < value.len() && text.first().is_some_and(u8::is_ascii_alphanumeric)
            || open.is_some() && text.last().is_some_and(u8::is_ascii_alphanumeric);
        if touches || !text.iter().all(|it| is_of_sentence(*it)) {
            return false;
        }
        words +=
            text.split(u8::is_ascii_whitespace).filter(|it| it.iter().any(u8::is_ascii_alphabetic)).count();
        words_before.get_or_insert(words);
        if open.is_none() {
            return words >= MIN_WORDS || words_before >= Some(MIN_WORDS_BEFORE);
        }
        let Some(length) = bare_tag(tag) else { return false };
        rest = &tag[length..];
    }
}

/// The length of `<name>` or `</name>`.
fn bare_tag(tag: &[u8]) -> Option<usize> {
    let end = memchr::memchr(b'>', &tag[..tag.len().min(MAX_TAG)])?;
    let name = tag.get(1..end)?;
    let name = name.strip_prefix(b"/").unwrap_or(name);
    let is_name = name.first()?.is_ascii_alphabetic() && name.iter().all(u8::is_ascii_alphanumeric);
    is_name.then_some(end + 1)
}

fn is_of_sentence(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || byte.is_ascii_whitespace()
        || b",.?!:'\"/".contains(&byte)
        || !byte.is_ascii()
}

/// Whether a script is loaded by its plain address.
pub(super) fn is_script_source(tag: &Tag<'_>) -> bool {
    let source = tag.attributes.iter().find(|it| it.name == "src");
    !tag.is_end
        && source.is_some_and(|it| it.value.is_some_and(|url| url.starts_with(b"https://")))
        && tag.attributes.iter().all(is_passive)
}

/// Whether a script only declares an empty list or object of the page:
/// `window.dataLayer = window.dataLayer || [];`.
pub(super) fn is_idle_script(code: &[u8]) -> bool {
    let mut statements = code.split(|&byte| byte == b';').map(<[u8]>::trim_ascii);
    let is_idle = |statement: &[u8]| statement.is_empty() || is_empty_declaration(statement);
    !code.trim_ascii().is_empty() && statements.all(is_idle)
}

fn is_empty_declaration(statement: &[u8]) -> bool {
    let of_window = |it: &'_ [u8]| it.strip_prefix(b"window.").map_or(it.to_vec(), <[u8]>::to_vec);
    let Some(at) = memchr::memchr(b'=', statement) else { return false };
    let (name, value) = (statement[..at].trim_ascii(), statement[at + 1..].trim_ascii());
    let name = of_window(name.strip_prefix(b"var ").unwrap_or(name).trim_ascii());
    let value = of_window(value);
    let value = value.strip_prefix(name.as_slice()).map_or(&*value, <[u8]>::trim_ascii);
    let value = value.strip_prefix(b"||").unwrap_or(value).trim_ascii();
    !name.is_empty()
        && name.iter().all(|it| it.is_ascii_alphanumeric() || *it == b'_')
        && matches!(value, b"[]" | b"{}")
}

/// Whether a script tag that is never closed is a line of a list: words that a site blocks.
pub(super) fn is_line_of_list(tag: &Tag<'_>, value: &[u8], last_bracket: Option<usize>) -> bool {
    let text = &value[tag.span.clone()];
    let is_line = text.get(7).is_some_and(|it| matches!(it, b'\r' | b'\n'));
    tag.name == "script"
        && is_line
        && last_bracket.is_none_or(|at| at < tag.span.start)
        && tag.attributes.iter().all(|it| it.value.is_none())
}

fn is_passive(attribute: &Attribute<'_>) -> bool {
    let value = attribute.value.unwrap_or_default();
    let is_address = |value: &[u8]| {
        let starts =
            [b"https://".as_slice(), b"http://", b"//", b"/", b"#", b"./", b"data:image/", b"mailto:"];
        value.is_empty()
            || starts.iter().any(|start| value.starts_with(start)) && !value.starts_with(b"data:image/svg")
            || value[0].is_ascii_alphanumeric() && memchr::memchr(b':', value).is_none()
    };
    match attribute.name.as_str() {
        "srcdoc" | "ev:event" | "ev:handler" | "datasrc" | "dataformatas" => false,
        "src" | "href" | "action" | "formaction" | "data" | "xlink:href" | "background" | "to" | "from"
        | "values" => is_address(value.trim_ascii()),
        "http-equiv" => !value.eq_ignore_ascii_case(b"refresh") && !value.eq_ignore_ascii_case(b"set-cookie"),
        name => !super::breakout::is_handler(name.as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::html::tags;

    #[test]
    fn recognizes_handlers_without_effect() {
        for (name, code) in [
            ("onclick", "window.print();return false;"),
            ("onerror", "this.src='/fallback.jpg'"),
            ("onload", "this.media='all'"),
            ("onclick", "{() => alert(1)}"),
            ("onclick", "{handleClick}"),
            ("onchange", "this.form.submit()"),
            ("onclick", "showTab('news', 2);"),
        ] {
            assert!(is_idle_handler(name, code.as_bytes()), "{code}");
        }
        for (name, code) in [
            ("onclick", "alert(1)"),
            ("onclick", "fetch('x')"),
            ("onclick", "load('//evil.example')"),
            ("onmouseover", "show('x')"),
            ("onerror", "print()"),
            ("onload", "{alert(1)}"),
            ("onload", "{(()=>alert(1))()}"),
            ("onload", "{[1].map(x=>alert(x))}"),
            ("onload", "this.src='javascript:x'"),
            ("onload", "this['src']=x"),
            ("onload", "location=name"),
            ("onload", "a\\u006cert(1)"),
        ] {
            assert!(!is_idle_handler(name, code.as_bytes()), "{code}");
        }
    }

    #[test]
    fn recognizes_scripts_without_effect() {
        for code in
            ["window.dataLayer=window.dataLayer||[];", "var _gaq = _gaq || []", "window.a = {}; var b = [];"]
        {
            assert!(is_idle_script(code.as_bytes()), "{code}");
        }
        for code in
            ["", "window.a=window.b||[]", "a=[];alert(1)", "a=[alert(1)]", "location=name", "window.a=a||[x]"]
        {
            assert!(!is_idle_script(code.as_bytes()), "{code}");
        }
    }

    #[test]
    fn recognizes_sentences_about_tags() {
        for text in [
            "what is <script> tag",
            "How does the <iframe> tag work?",
            "what is <script>",
            "<object> vs <embed> in html",
            "where to close <form> and </form>, or \"<input>\"?",
            "was ist das <style> element für große Seiten",
        ] {
            assert!(is_sentence_about_tags(text.as_bytes()), "{text}");
        }
        for text in [
            "<script>",
            "x <script>",
            "<script> x y",
            "<script>alert me now please",
            "what is this<script>",
            "what is <script>alert(1)</script>",
            "what is <script> alert(1)",
            "what is <script> a=b",
            "what is <script> alert`1`",
            "what is <script src=x> tag",
            "what is <iframe src=x> tag",
            "what is \"><script> tag",
            "what is <svg/onload> tag",
            "what is <scr<script>ipt> tag",
            "what is <script> a[b] tag",
            "what is <!-- <script> tag",
            "what is <script tag",
        ] {
            assert!(!is_sentence_about_tags(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn recognizes_lines_of_lists() {
        let is_line =
            |list: &str| is_line_of_list(&tags(list.as_bytes())[0], list.as_bytes(), list.rfind('>'));
        assert!(is_line("<script\ncasino\nhttp://spam.example"));
        for script in ["<script", "<script\n>alert(1)", "<script\nsrc=//x.example", "<script casino"] {
            assert!(!is_line(script), "{script}");
        }
    }

    #[test]
    fn recognizes_embedded_content() {
        for markup in [
            "<iframe src=\"https://player.example/embed/1\" allowfullscreen>",
            "<form action='https://lists.example/sub' method=post>",
            "<meta http-equiv=\"Content-Type\" content=\"text/html\">",
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=24>",
            "<style>",
        ] {
            assert!(is_embed(&tags(markup.as_bytes())[0]), "{markup}");
        }
        for markup in [
            "<iframe src=javascript:x>",
            "<iframe srcdoc='<b>'>",
            "<svg onload=x>",
            "<meta http-equiv=refresh content='0;url=x'>",
            "<object data='data:text/html,x'>",
            "<base href='https://a.example/'>",
        ] {
            assert!(!is_embed(&tags(markup.as_bytes())[0]), "{markup}");
        }
    }
}
