//! Secrets in each format of a body, with values beside them that stay visible.

use super::*;

const MULTIPART: &str = "multipart/form-data; boundary=b";

/// Checks that `s3cret` is masked and `visible` is not.
fn check(content_type: &str, body: &str) {
    let masked = default_body(content_type, body, "none");
    assert!(!masked.contains("s3cret"), "{content_type}\n{body}\n{masked}");
    assert_eq!(masked.matches("visible").count(), body.matches("visible").count(), "{body}\n{masked}");
}

fn multipart(head: &str) -> String {
    format!(
        "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nvisible\r\n--b\r\n{head}\r\n\r\n\
        s3cret\r\ns3cret--b s3cret\r\n--b\r\nContent-Disposition: form-data; name=\"z\"\r\n\r\nvisible\r\n--b--\r\n"
    )
}

#[test]
fn parts_are_masked_by_any_spelling_of_their_name() {
    for name in [
        "name=\"password\"",
        "name=password",
        "Name=\"password\"",
        "NAME=password",
        "name = \"password\"",
        "name='password'",
        "name*=UTF-8''password",
        "name*=UTF-8'en'p%61ssword",
        "name*0=\"pass\"; name*1=\"word\"",
        "name=\"user[password]\"",
        "name=\"pass\\\"word\"",
        "name=\"x\"; name=\"password\"",
        "filename=\"x\"; name=\"private_key\"",
        "name=\r\n \"password\"",
        "name=password; filename=x",
    ] {
        let body = multipart(&format!("Content-Disposition: form-data; {name}"));
        check(MULTIPART, &body);
        check("Multipart/Form-Data; Boundary=\"b\"", &body);
        check("text/plain", &body);
        check(MULTIPART, &body.replace("\r\n", "\n"));
        check(MULTIPART, &format!("a preamble: visible\r\n{body}"));
        check(MULTIPART, &body.replace("\r\n\r\ns3cret", "\r\ns3cret"));
        let end = body.find("--b s3cret").unwrap();
        check(MULTIPART, &body[..end]);
    }
}

#[test]
fn other_parts_stay() {
    for head in [
        "Content-Disposition: form-data; name=\"author\"",
        "Content-Disposition: form-data; name=\"file\"; filename=\"password\"",
        "Content-Disposition: form-data; name=\"session_duration\"\r\nContent-Type: text/plain; charset=utf-8",
    ] {
        let body = multipart(head);
        assert_eq!(default_body(MULTIPART, &body, "none"), body);
    }
}

#[test]
fn contents_of_parts_are_masked_by_their_own_format() {
    for content in [
        r#"{"password":"s3cret","x":"visible"}"#,
        "<a><password>s3cret</password>visible</a>",
        "x=visible&password=s3cret",
        "--c\r\nContent-Disposition: form-data; name=password\r\n\r\ns3cret\r\n--c--",
    ] {
        let head = "Content-Disposition: form-data; name=x\r\nContent-Type: multipart/mixed; boundary=c";
        check(MULTIPART, &format!("--b\r\n{head}\r\n\r\n{content}\r\n--b--\r\n"));
    }
}

#[test]
fn parts_that_cannot_be_separated_are_masked_as_a_whole() {
    let body = multipart("Content-Disposition: form-data; name=password");
    let unseen = format!("preamble\r\n{body}");
    assert_eq!(default_body("multipart/form-data; boundary=other", &unseen, "none"), MASK);
    assert_eq!(default_body("multipart/form-data", "no parts", "none"), "no parts");
}

#[test]
fn a_body_of_two_formats_is_masked_in_both() {
    check(
        MULTIPART,
        "{\"x\":\"\r\n--b\r\nContent-Disposition: form-data; name=password\r\n\r\ns3cret\r\n--b--",
    );
    check(MULTIPART, r#"{"password":"s3cret--bs3cret","x":"visible"}"#);
    check("application/x-www-form-urlencoded", "\"x&password=s3cret");
    check("application/x-www-form-urlencoded", r#"{"password":"s3cret","x":"visible"}"#);
    check("application/json", "a=visible&password=s3cret");
}

#[test]
fn rules_mask_parts_in_any_spelling_of_the_type() {
    let part = r#"[["post"],["multipart","pin"]]"#;
    let body = multipart("Content-Disposition: form-data; name=pin");
    for content_type in ["Multipart/Form-Data; boundary=b", "MULTIPART/MIXED", "text/plain"] {
        assert_eq!(masked_body(&[part], content_type, body.as_bytes()), MASK, "{content_type}");
    }
}

#[test]
fn elements_and_attributes_are_masked() {
    for body in [
        "<a><password><![CDATA[s3cret]]></password><b>visible</b></a>",
        "<a><password><![CDATA[s3cret</password>s3cret]]></password>visible</a>",
        "<a><ns:Password type='x'>s3<!-- s3cret -->s3cret</ns:Password>visible</a>",
        "<a><password><value>s3cret</value><value>s3cret</value></password>visible</a>",
        "<a password=\"s3cret\" b=\"visible\">visible</a>",
        "<a password = 's3cret>s3cret' b='visible'/>",
        "<a x:token=\"s3cret\">visible</a>",
        "<property name=\"password\">s3cret</property><p>visible</p>",
        "<property name=\"password\"><value>s3cret</value></property><p>visible</p>",
        "<input name=\"password\" value=\"s3cret\"><p>visible</p>",
        "<add key='pin' value='s3cret'/><p>visible</p>",
        "<member><name>password</name><value><string>s3cret</string></value></member><p>visible</p>",
        "<a><password>s3cret",
        "<password a=\"<\">s3cret</password>visible",
    ] {
        check("application/xml", body);
    }
    for body in ["<author>x</author>", "<a author='x' session_duration=\"5\"/>", "<password/><b>x</b>"] {
        assert_eq!(default_body("application/xml", body, "none"), body);
    }
}

#[test]
fn forms_may_contain_line_breaks() {
    const FORM: &str = "application/x-www-form-urlencoded";
    for content_type in [FORM, "text/plain"] {
        for (body, masked) in [
            ("a=1&password=x\r\ny", "a=1&password=***"),
            ("a=1&password=x\n", "a=1&password=***"),
            ("password=x&a=1\n", "password=***&a=1\n"),
            ("a=1\r\npassword=x y\r\nb=2", "a=1\r\npassword=***\r\nb=2"),
            ("a=1&user%5Bpassword%5D=x&b=2\n", "a=1&user%5Bpassword%5D=***&b=2\n"),
            ("a=1&password%3Dx", "a=1&password%3D***"),
            ("name=password&value=x&b=2", "name=password&value=***&b=2"),
            ("name=author&value=x\n", "name=author&value=x\n"),
            ("password=&b=2", "password=&b=2"),
        ] {
            assert_eq!(default_body(content_type, body, "none"), masked, "{content_type} {body}");
        }
    }
}

#[test]
fn json_is_masked_below_secret_names() {
    for body in [
        r#"{"password":["s3cret","s3cret"],"a":"visible"}"#,
        r#"{"credentials":{"value":"s3cret","n":[{"x":"s3cret"}]},"a":"visible"}"#,
        r#"{"name":"password","value":"s3cret","a":"visible"}"#,
        r#"{"value":"s3cret","a":"visible","name":"password"}"#,
        r#"{"Key":"user[pin]","Value":{"stringValue":"s3cret"},"a":["visible"]}"#,
        r#"[{"field":"otp","value":["s3cret"]},{"field":"author","value":"visible"}]"#,
        r#"{"op":"replace","path":"/user/password","value":"s3cret"}"#,
        r#"{"users[0][password]":"s3cret","password_1":"s3cret","password[]":"s3cret","author":"visible"}"#,
        r#"{"newPassword":"s3cret","passwordConfirm":"s3cret","passage":"visible"}"#,
        r#"{"body":"{\"password\":\"s3cret\",\"a\":\"visible\"}"}"#,
        r#"{"body":"{\"b\":\"{\\\"password\\\":[\\\"s3cret\\\"]}\"}","a":"visible"}"#,
        r#"{"query":"mutation { login(user: \"visible\", password: \"s3cret\") { id } }"}"#,
        r#"{"url":"https://visible:s3cret@h/?access_token=s3cret&a=visible"}"#,
        r#"{"connection":"Server=visible;Password=s3cret;Database=visible"}"#,
        r#"{"\u0070assword":"s3cret","a":"visible"}"#,
        r#"{"a":"\x70 password=s3cret"}"#,
        r#"{"password":"s3cret",}"#,
        "{'password':'s3cret','a':'visible'}",
        r#"{password: ["s3cret", {"b": "s3cret"}], a: "visible"}"#,
        "{\"a\":\"visible\", \"password\" :\n \"s3cret\", // x\n\"b\":\"visible\"}",
        "\u{feff}{\"password\":\"s3cret\",\"a\":\"visible\"}",
    ] {
        check("application/json", body);
    }
    for body in [
        r#"{"name":"author","value":"x"}"#,
        r#"{"value":"x","name":"session_duration"}"#,
        r#"{"names":["password"],"value":"x"}"#,
        r#"{"tokens_used":7,"tokenizer":"bpe","pinterest":"x","authors":["a: b"]}"#,
        r#"{"text":"12:30, see https://h:80/a@b?x=1 and a@b.example"}"#,
    ] {
        assert_eq!(default_body("application/json", body, "none"), body);
    }
}

#[test]
fn comments_in_json_hide_no_secret() {
    for (body, masked) in [
        (r#"{"name":/**/"password","value":"x"}"#, r#"{"name":/**/"password","value":"***"}"#),
        (r#"{"pin"/* a */:/* b */"x","a":"c"}"#, r#"{"pin"/* a */:/*****/"***","a":"c"}"#),
        ("// password: x\n{\"pin\":1}", "// password: ***\n{\"pin\":\"***\"}"),
        (r#"{"a":1 /*{"pin":2}*/} // b"#, r#"{"a":1 /*{"pin":"***"}*/} // b"#),
        (r#"{"token":[1,/*2*/3]}"#, r#"{"token":["***",/*****/"***"]}"#),
        (r#"{"name":/**/"password","value":"x" /* a"#, r#"{"name":/**/"password","value":"***" /* a"#),
        (
            "\u{feff})]}',\n{\"name\":\"password\" // a\n,\"value\":\"x\"}",
            "\u{feff})]}',\n{\"name\":\"password\" // a\n,\"value\":\"***\"}",
        ),
        (r#"/* a */{"name":/* b */"author","value":"x"}"#, r#"/* a */{"name":/* b */"author","value":"x"}"#),
    ] {
        assert_eq!(default_body("application/json", body, "none"), masked);
    }
    for malformed in [
        r#"{"password":/* s3cret */"s3cret","a":"visible",?}"#,
        r#"{"password"/* a */:/**//**/"s3cret","a":"visible",?}"#,
        "{\"password\": // s3cret\n \"s3cret\", \"a\":\"visible\" ?}",
        "{'name':/**/'password','value':/* a */'s3cret','a':'visible'}",
    ] {
        check("application/json", malformed);
    }
    let pin = r#"[["post"],["json_doc"],["hash","pin"]]"#;
    assert_eq!(masked_json(pin, r#"/* a */{"pin":/* b */1}"#), r#"/* a */{"pin":/* b */"***"}"#);
}

#[test]
fn names_in_other_texts_are_found() {
    for body in [
        "user: visible\npassword: s3cret with s3cret\nage: visible",
        "user: visible\npassword: |\n  s3cret\n  s3cret\nage: visible",
        "hosts:\n  - name: visible\ntoken:\n  - s3cret\nage: visible",
        "[db]\nhost = visible\npassword = s3cret;s3cret # s3cret\nname = visible",
        "UPDATE t SET password='it''s s3cret', a='visible'",
        "API key: s3cret\none time code: s3cret\nkey size: visible",
        "$_POST['password'] = \"s3cret\"; $a = 'visible';",
        "visible GET /a?b=visible&token=s3cret HTTP/1.1",
        "x password=<b>s3cret</b>\nvisible",
        "x = {'password': u's3cret', 'a': 'visible'}",
    ] {
        check("text/plain", body);
    }
}

#[test]
fn bodies_of_other_bytes_are_masked_as_a_whole() {
    let wide: Vec<u8> = "password=s3cret".encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (content_type, body) in [
        ("text/plain", wide.clone()),
        ("text/plain", [b"\xff\xfe".to_vec(), wide].concat()),
        ("text/plain; charset=UTF-7", b"password=s3cret".to_vec()),
        ("application/json", b"\x1f\x8b\x08".to_vec()),
    ] {
        assert_eq!(masked_by_default(with_body(content_type, &body), "none").body.unwrap().0, b"***");
    }
    let binary = b"\x00\x00\x00\x00\x1f\x0a\xff";
    assert_eq!(masked_by_default(with_body("application/grpc", binary), "none").body.unwrap().0, binary);
}

#[test]
fn values_before_their_names_are_masked() {
    for body in [
        r#"<add value="s3cret" key="Password"/><p>visible</p>"#,
        r#"<add value="visible" key="Author"/><add value="s3cret" key="Password"/><add value="visible" key="b"/>"#,
        "<param value=s3cret name=token/><p>visible</p>",
        "<input id=\"visible\" value=\"s3cret\" name=\"password\"><p>visible</p>",
        "<input name=\"password\" id=\"visible\" value=\"s3cret\"><p>visible</p>",
        "<add value=\"s3cret>s3cret\" key=\"Password\"/><p>visible</p>",
        "<i><value>s3cret</value><name>password</name></i><i><value>visible</value><name>a</name></i>",
        "<i><value>visible</value><name>a</name><value>s3cret</value><name>password</name></i>visible",
        "<i><name>a</name><value>visible</value><name>password</name><value>s3cret</value></i>visible",
        "<i><Value><![CDATA[s3cret]]></Value> <Key><![CDATA[api_key]]></Key></i><p>visible</p>",
        "<i><name><![CDATA[password]]></name><value>s3cret</value></i><p>visible</p>",
    ] {
        check("application/xml", body);
    }
    for body in [
        "a=visible&value=s3cret&name=password&b=visible",
        "id=5&value=s3cret&name=password&b=visible",
        "name=user&value=visible&name=password&value=s3cret",
        "value=visible&name=user&value=s3cret&name=password&value=visible&name=a",
        "name=password&type=text&value=s3cret&b=visible",
        "f[0][value]=s3cret&f[0][name]=password&f[1][value]=visible&f[1][name]=a",
        "value=s3%63ret&value=s3cret&key=api%5Fkey&b=visible",
    ] {
        check("application/x-www-form-urlencoded", body);
        assert!(
            !masked_by_default(recorded(&serde_json::json!({"query": body})), "none")
                .query
                .contains("s3cret")
        );
    }
    for body in [
        r#"{"value":"s3cret","name":"password","a":"visible"}"#,
        r#"{"key":"api_key","value":"s3cret"}"#,
        r#"[{"value":["s3cret"],"id":"visible","key":"api_key"},{"value":"visible","key":"a"}]"#,
        "{value: 's3cret', name: 'password', a: 'visible'}",
        "[{'value':'visible','name':'user'},{'value':'s3cret','name':'password'}?]",
        "{'name':'password','id':'visible','value':'s3cret'}",
    ] {
        check("application/json", body);
    }
    for body in [
        "- value: s3cret\n  name: password\n- value: visible\n  name: user",
        "- name: user\n  value: visible\n- name: password\n  value: s3cret",
    ] {
        check("text/plain", body);
    }
}

#[test]
fn values_beside_other_names_stay() {
    for body in [
        r#"<add value="x" key="Author"/><add value="y" key="Token-Type"/>"#,
        "<b value=\"x\"/><b name=\"password\"/>",
        "<i><value>x</value></i><i><name>password</name></i>",
        "[{'value':'x'},{'name':'password'}?]",
        "{data: {name: 'password', label: 'x'}}",
    ] {
        assert_eq!(default_body("application/xml", body, "none"), body);
    }
    let form = "value=x&name=user&text=password&key=b";
    assert_eq!(default_body("application/x-www-form-urlencoded", form, "none"), form);
}

#[test]
fn markup_in_markup_is_masked() {
    for body in [
        "<a>&lt;password&gt;s3cret&lt;/password&gt;&lt;b&gt;visible&lt;/b&gt;</a>",
        "<a>&lt;u password=&quot;s3cret&quot; b=&quot;visible&quot;/&gt;</a>",
        "<a>&#60;password&#x3e;s3cret&#60;/password&#62;visible</a>",
        "<a>&amp;lt;pin&amp;gt;s3cret&amp;lt;/pin&amp;gt;visible</a>",
        "<a data='{&quot;password&quot;:&quot;s3cret&quot;,&quot;b&quot;:&quot;visible&quot;}'/>",
        "<a><![CDATA[<x><password>s3cret</password><b>visible</b></x>]]><b>visible</b></a>",
        "<a><![CDATA[<password>s3cret]]><b>visible</b></a>",
        "<a><!-- <password>s3cret</password> visible --></a>",
        "<a><![CDATA[&lt;pin&gt;s3cret&lt;/pin&gt;visible]]></a>",
    ] {
        check("application/xml", body);
        check("application/json", &serde_json::json!({"a": "visible", "xml": body}).to_string());
    }
    for body in [
        "<a>&lt;b&gt;x &amp; y&lt;/b&gt;</a>",
        "<a><![CDATA[<author>x</author>]]></a>",
        "R&D &unknown; &#x110000; x",
    ] {
        assert_eq!(default_body("application/xml", body, "none"), body);
    }
}

#[test]
fn strings_in_three_quotes_are_masked() {
    for body in [
        "mutation { login(user: \"visible\", password: \"\"\"s3cret \"s3cret\" s3cret\"\"\") { visible } }",
        "mutation { login(password: \"\"\"\n  s3cret\n  s3cret\n\"\"\", a: \"\"\"visible\"\"\") }",
        "mutation { login(password: \"\"\"s3cret \\\"\"\" s3cret\"\"\", a: \"visible\") }",
        "query ($password: String! = \"s3cret\", $a: String = \"visible\") { visible }",
        "query ($a: String = \"visible\",\n  $password: String = \"\"\"s3cret\ns3cret\"\"\",\n $b: Int) { visible }",
        "password = \'\'\'s3cret \'s3cret\' s3cret\'\'\'\na = \'visible\'",
        "password: \"\"\"s3cret s3cret",
        "UPDATE t SET password=\'\'\'s3cret\', a=\'visible\'",
    ] {
        check("text/plain", body);
        check("application/json", &serde_json::json!({"query": body}).to_string());
    }
    let variables = serde_json::json!({"query": "mutation($p: String!) { visible }", "variables": {"password": "\"\"\"s3cret\"\"\""}});
    check("application/json", &variables.to_string());
    let empty = "login(password: \"\", a: \"\"\"x\"\"\")";
    assert_eq!(default_body("text/plain", empty, "none"), empty);
}

#[test]
fn a_delimiter_at_the_start_of_a_longer_line_ends_no_secret() {
    let head = |name: &str| format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n");
    for line in ["--bs3cret", "--b s3cret", "--b-s3cret", "--bb\r\nX: y\r\n", "--b--s3cret"] {
        let secret = format!("{}s3cret\r\n{line}\r\ns3cret\r\n\r\ns3cret\r\n", head("password"));
        check(MULTIPART, &format!("{}visible\r\n{secret}--b--\r\n", head("a")));
        check(MULTIPART, &format!("{secret}{}visible\r\n--b--\r\n", head("a")));
    }
    let padded =
        format!("{}s3cret\r\n{}visible\r\n--b-- \r\n", head("password"), head("a").replace("--b", "--b \t"));
    check(MULTIPART, &padded);
}

#[test]
fn values_on_the_next_line_and_in_columns_are_masked() {
    for body in [
        "user: visible\nPassword:\ns3cret\nage: visible",
        "Your Password:\r\n\r\ns3cret\r\nvisible text",
        "Password:\ns3cret==\nvisible",
        "Password:\ts3cret\nvisible",
        "user\tvisible\npassword\ts3cret\nage\tvisible",
        "user\tpassword\tage\nvisible\ts3cret\tvisible\nvisible\ts3cret\tvisible",
        "visible: Bearer\ns3cret0123456789",
        "Bearer\ts3cret0123456789\nvisible",
        "GET /visible HTTP/1.1\r\nAuthorization: Bearer\r\n s3cret\r\nHost: visible",
        "curl -H \"Authorization: Bearer s3cret\" https://visible/",
        "curl -H \'Authorization: Basic s3cret\' visible",
    ] {
        check("text/plain", body);
    }
    for body in [
        "password:\nage: visible",
        "Enter your password:\nThen go on",
        "Authorization: Bearer\nHost: visible",
        "auth: Bearer\nSome text",
        "a\tb\nc\td",
        "password:\n\n\n\nvisible",
        "the bearer\nof certificates",
    ] {
        let masked = default_body("text/plain", body, "none");
        assert_eq!(masked.replace(MASK, "Bearer"), body);
    }
}

#[test]
fn documents_declared_as_forms_are_masked() {
    const FORM: &str = "application/x-www-form-urlencoded";
    for body in [
        "{'password':'s3cret&s3cret','a':'visible'}",
        "{\"password\":\"s3cret=&s3cret\",\"a\":\"visible\",?}",
        "{\"password\":\"s3cret\",\"a\":\"visible\"}=",
        "{\"password\":\"s3cret\",\"a\":\"visible\",\"b\":\"=x\"}",
        "a=visible&{\"password\":\"s3cret\"}=1",
        "a=visible&%7B%22password%22%3A%22s3cret%22%7D=1",
        "<a><password>s3cret</password>visible</a>=",
    ] {
        check(FORM, body);
    }
    for body in ["{\"author\":\"x\"}=", "a:b=1&c=2"] {
        assert_eq!(default_body(FORM, body, "none"), body);
    }
}
