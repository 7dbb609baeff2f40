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
