//! Scripts of servers: PHP, JSP and ASP, and web shells among them.

use regex::bytes::Regex;
use std::{ops::Range, sync::LazyLock};

/// A call that runs what the visitor sends.
static WEB_SHELL: LazyLock<Regex> = LazyLock::new(|| {
    let request = r"(?:\$_(?:GET|POST|REQUEST|COOKIE|SERVER\s*\[\s*['\x22]HTTP_)|php://input|getallheaders)";
    let run = r"(?:^|[^\w>:$])(?:eval|assert|system|exec|shell_exec|passthru|popen|proc_open|pcntl_exec|create_function|include|include_once|require|require_once)";
    let decode = r"(?:base64_decode|gzinflate|gzuncompress|gzdecode|str_rot13|hex2bin|strrev|rawurldecode)";
    let patterns = [
        format!(r"{run}\b[\s(@'\x22.]*[^;]{{0,200}}?{request}"),
        format!(r"(?:^|[^\w>:$])(?:eval|assert)\s*\(\s*@?\s*{decode}\s*\("),
        r"\$_(?:GET|POST|REQUEST|COOKIE)\s*\[[^\]]{1,40}\]\s*\(".to_owned(),
        r"`[^`]{0,60}\$_(?:GET|POST|REQUEST|COOKIE)".to_owned(),
        r"(?:getRuntime\s*\(\s*\)\s*\.\s*exec|ProcessBuilder)\s*\([^;]{0,120}getParameter".to_owned(),
        r"(?:^|[^\w.>:$])(?:eval|execute|executeglobal)\b[\s(]*request\b".to_owned(),
        r"\b(?:Process\.Start|ProcessStartInfo)\s*\([^;]{0,120}Request\b".to_owned(),
    ];
    let all = format!("(?is-u){}", patterns.join("|"));
    Regex::new(&all).expect("the pattern is valid: every test compiles it")
});

/// The longest part of a script that is shown as evidence.
const SHOWN: usize = 60;

/// A call that runs a variable.
static RUN_VARIABLE: LazyLock<Regex> = LazyLock::new(|| {
    let pattern = r"(?i-u)(?:^|[^\w>:$])(?:eval|assert|system|shell_exec|passthru|popen|proc_open)\s*\(\s*@?\$\w+\s*[,)]";
    Regex::new(pattern).expect("the pattern is valid: every test compiles it")
});

/// What the visitor sends.
static REQUEST: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"\$_(?:GET|POST|REQUEST|COOKIE)\b").expect("the pattern is valid: every test compiles it")
});

/// The call that makes a script a web shell.
pub(super) fn web_shell(content: &[u8]) -> Option<Range<usize>> {
    let variable = || RUN_VARIABLE.find(content).filter(|_| REQUEST.is_match(content));
    WEB_SHELL.find(content).or_else(variable).map(|found| found.start()..found.end())
}

/// Whether a script opens here. Two or three bytes occur in images by chance, so text must follow.
pub(super) fn is_opened(text: &[u8]) -> bool {
    let starts = |tag: &str| text.get(..tag.len()).is_some_and(|it| it.eq_ignore_ascii_case(tag.as_bytes()));
    if starts("<?php") || starts("<jsp:") {
        return true;
    }
    let is_short = starts("<?=") || starts("<%@") || starts("<%=") || starts("<%eval") || starts("<%execute");
    let is_text = |it: &&u8| matches!(**it, b' '..=b'~' | b'\t' | b'\r' | b'\n');
    is_short && text.iter().take_while(is_text).take(12).count() == 12
}

/// The length of the text of a script.
pub(super) fn shown(text: &[u8]) -> usize {
    text.iter().take(SHOWN).take_while(|it| matches!(**it, b' '..=b'~' | b'\t' | b'\r' | b'\n')).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_calls_that_run_what_the_visitor_sends() {
        for script in [
            "<?php system($_GET['c']);",
            "<?php @eval($_POST['pass']); ?>",
            "<?php eval(base64_decode('cGhwaW5mbygpOw=='));",
            "<?php $_GET['f']($_GET['a']);",
            "<?=`$_REQUEST[0]`?>",
            "<?php if (isset($_GET['x'])) { echo shell_exec('ls ' . $_GET['x']); }",
            "<?php include($_GET['page']);",
            "<?php $a = $_POST['a']; assert($a); ?>",
            "<?php assert(file_get_contents('php://input'));",
            "<% Runtime.getRuntime().exec(request.getParameter(\"cmd\")); %>",
            "<%eval request(\"c\")%>",
            "<%@ Page Language=\"Jscript\"%><%eval(Request.Item[\"x\"],\"unsafe\");%>",
        ] {
            assert!(web_shell(script.as_bytes()).is_some(), "{script}");
        }
    }

    #[test]
    fn passes_other_scripts() {
        for script in [
            "<?php require_once 'vendor/autoload.php'; $page = $_GET['page'] ?? 1; echo htmlspecialchars($page);",
            "<?php $statement->exec($_POST['id']);",
            "<?php $db = new PDO($dsn); $db->query('select 1'); exec('convert a.png b.png');",
            "<%@ page contentType=\"text/html\" %><p><%= request.getParameter(\"name\") %></p>",
            "<?php function evaluate($x) { return filter_system($x); } evaluate($_GET['a']);",
        ] {
            assert_eq!(web_shell(script.as_bytes()), None, "{script}");
        }
    }
}
