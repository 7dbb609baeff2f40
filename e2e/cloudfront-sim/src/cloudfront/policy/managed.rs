//! AWS's managed policies by id: "Use managed cache policies", "Use managed origin request
//! policies", "Use managed response headers policies".

use super::{CachePolicy, Cors, OriginRequestPolicy, PolicyHeader, ResponseHeadersPolicy, Selection};

const YEAR: u64 = 31_536_000;
const DAY: u64 = 86_400;
const ORIGIN_CONTROLLED: [&str; 5] =
    ["Host", "Origin", "X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"];
const PREFLIGHT: [&str; 3] = ["Origin", "Access-Control-Request-Headers", "Access-Control-Request-Method"];

pub(super) fn cache_policy(id: &str) -> Option<CachePolicy> {
    let ttls = CachePolicy::with_ttls;
    Some(match id {
        // Amplify
        "2e54312d-136d-493c-8eb9-b001f22f67d2" => CachePolicy {
            headers: Selection::only(&["Authorization", "CloudFront-Viewer-Country", "Host"]),
            cookies: Selection::All,
            query: Selection::All,
            ..compressed(ttls(2, 2, 600))
        },
        // CachingDisabled
        "4135ea2d-6df8-44a3-9df3-4b5a84be39ad" => CachePolicy::disabled(),
        // CachingOptimized
        "658327ea-f89d-4fab-a63d-7e88639e58f6" => compressed(ttls(1, DAY, YEAR)),
        // CachingOptimizedForUncompressedObjects
        "b2884449-e4de-46a7-ac36-70bc7f1ddd6d" => ttls(1, DAY, YEAR),
        // Elemental-MediaPackage
        "08627262-05a9-4f76-9ded-b50ca2e3a84f" => CachePolicy {
            headers: Selection::only(&["Origin"]),
            query: Selection::only(&["aws.manifestfilter", "start", "end", "m"]),
            gzip: true,
            ..ttls(0, DAY, YEAR)
        },
        // UseOriginCacheControlHeaders
        "83da9c7e-98b4-4e11-a168-04f0df8e2c65" => origin_controlled(Selection::None),
        // UseOriginCacheControlHeaders-QueryStrings
        "4cc15a8a-d715-48a4-82b8-cc0b614638fe" => origin_controlled(Selection::All),
        _ => return None,
    })
}

fn compressed(policy: CachePolicy) -> CachePolicy {
    CachePolicy { gzip: true, brotli: true, ..policy }
}

fn origin_controlled(query: Selection) -> CachePolicy {
    CachePolicy {
        headers: Selection::only(&ORIGIN_CONTROLLED),
        cookies: Selection::All,
        query,
        ..compressed(CachePolicy::with_ttls(0, 0, YEAR))
    }
}

pub(super) fn origin_request_policy(id: &str) -> Option<OriginRequestPolicy> {
    let headers = |names: &[&str]| OriginRequestPolicy {
        headers: Selection::only(names),
        ..OriginRequestPolicy::default()
    };
    Some(match id {
        // AllViewer
        "216adef6-5c7f-47e4-b989-5492eafa07d3" => OriginRequestPolicy::all_viewer(),
        // AllViewerAndCloudFrontHeaders-2022-06, with the simulated headers
        "33f36d7e-f396-46d9-90e0-52428a34d9dc" => OriginRequestPolicy {
            cloudfront_headers: crate::cloudfront::forward::OWN_HEADERS.map(str::to_owned).to_vec(),
            ..OriginRequestPolicy::all_viewer()
        },
        // AllViewerExceptHostHeader
        "b689b0a8-53d0-40ab-baf2-68738e2966ac" => OriginRequestPolicy::all_viewer_except_host(),
        // CORS-CustomOrigin
        "59781a5b-3903-41f3-afcb-af62929ccde1" => headers(&["Origin"]),
        // CORS-S3Origin
        "88a5eaf4-2fd4-4709-b370-b4c650ea3fcf" => headers(&PREFLIGHT),
        // Elemental-MediaTailor-PersonalizedManifests
        "775133bc-15f2-49f9-abea-afb2e0bf67d2" => OriginRequestPolicy {
            query: Selection::All,
            ..headers(&[&PREFLIGHT[..], &["User-Agent", "X-Forwarded-For"]].concat())
        },
        // HostHeaderOnly
        "bf0718e1-ba1e-49d1-88b1-f726733018ae" => headers(&["Host"]),
        // UserAgentRefererHeaders
        "acba4595-bd28-49b8-b9fe-13317c0390fa" => headers(&["User-Agent", "Referer"]),
        _ => return None,
    })
}

pub(super) fn response_headers_policy(id: &str) -> Option<ResponseHeadersPolicy> {
    let (cors, headers) = match id {
        // CORS-and-SecurityHeadersPolicy
        "e61eb60c-9c35-4d20-a928-2b84e02af89c" => (Some(simple_cors()), security()),
        // CORS-With-Preflight
        "5cc3b908-e619-4b99-88e5-2cf7f45965bd" => (Some(cors_with_preflight()), Vec::new()),
        // CORS-with-preflight-and-SecurityHeadersPolicy
        "eaab4381-ed33-4a86-88ca-d9558dc6cd63" => (Some(cors_with_preflight()), security()),
        // SecurityHeadersPolicy
        "67f7725c-6f97-4210-82d7-5512b31e9d03" => (None, security()),
        // SimpleCORS
        "60669652-455b-4ae9-85a4-c4c02393f86c" => (Some(simple_cors()), Vec::new()),
        _ => return None,
    };
    Some(ResponseHeadersPolicy { remove: Vec::new(), cors, headers })
}

fn simple_cors() -> Cors {
    Cors { origins: vec!["*".to_owned()], ..Cors::default() }
}

fn cors_with_preflight() -> Cors {
    let methods = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"].map(str::to_owned).to_vec();
    Cors { methods, expose: vec!["*".to_owned()], ..simple_cors() }
}

fn security() -> Vec<PolicyHeader> {
    let header = |name: &str, value: &str, overrides| PolicyHeader {
        name: name.to_owned(),
        value: value.to_owned(),
        overrides,
    };
    vec![
        header("Referrer-Policy", "strict-origin-when-cross-origin", false),
        header("Strict-Transport-Security", "max-age=31536000", false),
        header("X-Content-Type-Options", "nosniff", true),
        header("X-Frame-Options", "SAMEORIGIN", false),
        header("X-XSS-Protection", "1; mode=block", false),
    ]
}
