//! Families of user agents: the name of the browser or program, without versions.

/// A text of the header in lower case, and the family of the agents whose header contains it. The
/// first match counts: browsers name those that they are compatible with.
const FAMILIES: [(&str, &str); 26] = [
    ("sqlmap", "sqlmap"),
    ("nikto", "nikto"),
    ("nuclei", "nuclei"),
    ("nmap", "nmap"),
    ("zgrab", "zgrab"),
    ("masscan", "masscan"),
    ("googlebot", "bot"),
    ("bingbot", "bot"),
    ("bot/", "bot"),
    ("crawler", "bot"),
    ("spider", "bot"),
    ("python", "python"),
    ("go-http-client", "go"),
    ("okhttp", "java"),
    ("java/", "java"),
    ("curl/", "curl"),
    ("wget", "wget"),
    ("postman", "postman"),
    ("edg", "edge"),
    ("opr/", "opera"),
    ("firefox/", "firefox"),
    ("fxios/", "firefox"),
    ("crios/", "chrome"),
    ("chrome/", "chrome"),
    ("safari/", "safari"),
    ("trident/", "internet_explorer"),
];

/// Any other agent.
const OTHER: &str = "other";

/// All families, each once.
pub(crate) fn families() -> impl Iterator<Item = &'static str> {
    let names = FAMILIES.iter().map(|(_, family)| *family);
    let is_first =
        |(index, family): &(usize, &str)| FAMILIES[..*index].iter().all(|(_, earlier)| earlier != family);
    names.enumerate().filter(is_first).map(|(_, family)| family).chain([OTHER])
}

/// The family of the header `User-Agent`; `None` without the header.
pub(crate) fn family(headers: &[(String, String)]) -> Option<&'static str> {
    let (_, agent) = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("user-agent"))?;
    let agent = agent.to_ascii_lowercase();
    let found = FAMILIES.iter().find(|(text, _)| agent.contains(text));
    Some(found.map_or(OTHER, |(_, family)| family))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agent_belongs_to_the_family_that_it_names_most_specifically() {
        let chrome = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36";
        for (agent, expected) in [
            (chrome, "chrome"),
            (&format!("{chrome} Edg/126.0.0.0"), "edge"),
            ("Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 Version/17.5 Safari/605.1.15", "safari"),
            ("Mozilla/5.0 (X11; rv:127.0) Gecko/20100101 Firefox/127.0", "firefox"),
            ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "bot"),
            ("sqlmap/1.8#stable (https://sqlmap.org)", "sqlmap"),
            ("python-requests/2.32", "python"),
            ("curl/8.0", "curl"),
            ("", "other"),
        ] {
            assert_eq!(family(&[("User-Agent".to_owned(), agent.to_owned())]), Some(expected), "{agent}");
        }
        assert_eq!(family(&[]), None);
    }

    #[test]
    fn each_family_is_listed_once() {
        let mut names: Vec<_> = families().collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}
