use super::*;

fn signature_of(value: &str) -> Option<&'static str> {
    detect(value.as_bytes(), false).map(|it| it.signature)
}

#[test]
fn finds_computed_constants() {
    for attack in [
        "{{7*7}}",
        "${7*7}",
        "#{ 7*7 }",
        "<%= 7*7 %>",
        "*{7*7}",
        "@{7*7}",
        "{{'7'*7}}",
        "{{7*'7'}}",
        "hello {{271*41}}",
        "${{3*3}}",
        "{7*7}",
        "%{8+8}",
        "{{(2+3)*4}}",
        "{{7+7}}",
        "@(7*7)",
        "#set($x=7*7)${x}",
        "{{ 'a'.upper() }}",
        "${\"z\".concat(\"b\")}",
    ] {
        assert!(signature_of(attack).is_some(), "{attack}");
    }
}

#[test]
fn brackets_blanks_and_filters_hide_no_computed_constant() {
    let spellings = [
        "(7)*(7)",
        "7 *7",
        " 7 * '7' ",
        "((7))*((7))",
        "7*-7",
        "7**7",
        "7//1",
        "+7*7",
        "(7*7)",
        "[7]*7",
        "'7'+'7'",
        "7~7",
        "7 *\t(7)",
        "-(7)-(-7)",
        "(7)%(4)",
    ];
    let suffixes =
        ["", "|e", " | e", "|string|length", "|join(',')", "?c", ".toString()", ".class", "|format('%d', x)"];
    for (open, close) in [
        ("{{", "}}"),
        ("${", "}"),
        ("#{", "}"),
        ("<%=", "%>"),
        ("<%= ", " %>"),
        ("*{", "}"),
        ("@(", ")"),
        ("{{:", "}}"),
    ] {
        for constant in spellings {
            for suffix in suffixes {
                for attack in [
                    format!("{open}{constant}{suffix}{close}"),
                    format!("a {open} ({constant}){suffix} {close} b"),
                ] {
                    assert!(signature_of(&attack).is_some(), "{attack}");
                }
            }
        }
    }
    assert!(signature_of("#set($x=(7)*(7))$x").is_some());
}

#[test]
fn passes_constants_that_are_not_computed() {
    for benign in [
        "{{ 7 }}",
        "{{ (7) }}",
        "{{ -7 | abs }}",
        "{{ '7' | append: '7' }}",
        "{{ 'a' | translate | upper }}",
        "{{ x * 7 }}",
        "{{ (width - 2) * 100 | round }}",
        "{{ item.price * 2 | currency }}",
        "${(7)}",
        "${a.b * 7}",
        "#{ 'title' }",
        "#{7}",
        "<%= 7 %>",
        "<%= 'a'.b %>",
        "<%= 2.days.ago %>",
        "{{ 7, 8 }}",
        "{{{1|}}}",
        "a{(2)}-{(3)}",
        "{(1)-(2)}",
    ] {
        assert_eq!(signature_of(benign), None, "{benign}");
    }
}

#[test]
fn finds_names_that_no_page_needs() {
    for attack in [
        "{{''.__class__.__mro__[2].__subclasses__()}}",
        "{{config.items()}}",
        "{{config}}",
        "{{request.application.__globals__}}",
        "{{cycler.__init__.__globals__.os.popen('id').read()}}",
        "{{request|attr('application')|attr('__globals__')}}",
        "{{_self.env.registerUndefinedFilterCallback('exec')}}",
        "{{['id']|filter('system')}}",
        "${T(java.lang.Runtime).getRuntime().exec('id')}",
        "${\"freemarker.template.utility.Execute\"?new()(\"id\")}",
        "<#assign ex=\"freemarker.template.utility.Execute\"?new()>${ex(\"id\")}",
        "#set($e=\"e\")$e.getClass().forName(\"java.lang.Runtime\")",
        "<%= system('id') %>",
        "<%= `id` %>",
        "#{ `id` }",
        "#{global.process.mainModule.require('child_process').execSync('id')}",
        "{{constructor.constructor('return 1')()}}",
        "{{range.constructor(\"return process\")()}}",
        "{php}echo 1;{/php}",
        "{system('id')}",
        "{$smarty.version}",
        "__${T(java.lang.Runtime).getRuntime()}__::.x",
        "{% debug %}",
        "{{ ''['__cla'+'ss__'] }}",
        "${.data_model}",
        "<% import os %><%= os.popen('id').read() %>",
    ] {
        assert!(signature_of(attack).is_some(), "{attack}");
    }
}

#[test]
fn padding_and_other_delimiters_hide_no_expression() {
    for count in [1, 300, 3_000] {
        let repeated = |text: &str| text.repeat(count);
        let blanks = repeated(" ");
        for attack in [
            format!("{{{{{blanks}7*7}}}}"),
            format!("{{{{7{}*7}}}}", repeated("\n")),
            format!("{{{{{}7*7}}}}", repeated("\u{a0}")),
            format!("{{{{{blanks}config{blanks}}}}}"),
            format!("{{{{{blanks}self}}}}"),
            format!("{{{{ dump({blanks}app ) }}}}"),
            format!("{{{{{blanks}url_for{blanks}.{blanks}__globals__}}}}"),
            format!("{{{{['id']{blanks}|{blanks}filter('system')}}}}"),
            format!("#set($x=1){blanks}$x.getClass()"),
            format!("{}{{{{7*7}}}}", repeated("{{a}}")),
            format!("{}${{7*7}}", repeated("{{a ")),
            format!("{}${{7*7}}", repeated("{")),
            format!("{{{{ {} ${{7*7}}", repeated("a ")),
            format!("{{\"a\":\"{}{{{{7*7}}}}\"}}", repeated("b")),
            format!("/* {{ */ {{\"a\":\"{{{{7*7}}}}{}\"}}", repeated("c")),
        ] {
            assert!(
                signature_of(&attack).is_some(),
                "{count}: {}",
                &attack[..attack.floor_char_boundary(20)]
            );
        }
    }
    let long = "item.name | default: other.name, ".repeat(200);
    for benign in [
        format!("{{{{ {long} }}}}"),
        format!("{}{{{{ user.name }}}}", "{{ a.b }} text ".repeat(500)),
        format!("<style>.a{{width:2px}} {} </style>{{{{ x }}}}", ".b{top:1px;left:2px}".repeat(300)),
        "{\"type\":\"doc\",\"size\":\"{{ width }}\",\"n\":[1,2]}".to_owned(),
        "function f(){return `${a + b}px ${c * 2}`}".to_owned(),
    ] {
        assert_eq!(signature_of(&benign), None, "{}", &benign[..30]);
    }
}

#[test]
fn passes_benign_templates() {
    for benign in [
        "{{name}}",
        "{{ include.class }}",
        "${{ matrix.os }}",
        "{{ '__' }}",
        "Hello {{ user.first_name | capitalize }}, welcome!",
        "${price}",
        "#{id}",
        "{{#if admin}}yes{{/if}}",
        "{{> header}}",
        "{% if user %}Hi{% endif %}",
        "${{ github.event.pull_request.number }}",
        "${{ secrets.TOKEN }}",
        "<%= yield %>",
        "<%= link_to 'Home', root_path %>",
        "`${a + b}`",
        "{{ total * quantity }}",
        "{{ price | currency:'USD' }}",
        "${PORT:-8080}",
        "a{2,3}b{1-4}",
        "{1: 'a', 2: 'b'}",
        "{\"a\": 7*7}",
        "body { margin: 0 auto } .x{color:#fff}",
        "{{ 'now' | date: '%Y-%m-%d' }}",
        "@{user}",
        "#{title} by #{author}",
        "function(){return 7*7}",
        "%{count} items",
    ] {
        assert_eq!(signature_of(benign), None, "{benign}");
    }
}
