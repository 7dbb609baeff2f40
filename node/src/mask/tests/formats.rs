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
