//! AWS's managed policies by id. Other policies need a file, or are listed as not checked.

use super::forwarded::{Forwarded, ForwardedNames};

const CORS: [&str; 3] = ["Origin", "Access-Control-Request-Headers", "Access-Control-Request-Method"];

pub(super) fn cache_policy(id: &str) -> Option<Forwarded> {
    Some(match id {
        // CachingDisabled
        "4135ea2d-6df8-44a3-9df3-4b5a84be39ad" => Forwarded::nothing(false),
        // CachingOptimized, CachingOptimizedForUncompressedObjects
        "658327ea-f89d-4fab-a63d-7e88639e58f6" | "b2884449-e4de-46a7-ac36-70bc7f1ddd6d" => {
            Forwarded::nothing(true)
        }
        // UseOriginCacheControlHeaders
        "83da9c7e-98b4-4e11-a168-04f0df8e2c65" => origin_controlled(ForwardedNames::only(&[])),
        // UseOriginCacheControlHeaders-QueryStrings
        "4cc15a8a-d715-48a4-82b8-cc0b614638fe" => origin_controlled(ForwardedNames::All),
        _ => return None,
    })
}

pub(super) fn origin_request_policy(id: &str) -> Option<Forwarded> {
    let headers = match id {
        // AllViewer, AllViewerAndCloudFrontHeaders-2022-06
        "216adef6-5c7f-47e4-b989-5492eafa07d3" | "33f36d7e-f396-46d9-90e0-52428a34d9dc" => {
            return Some(Forwarded::everything(true));
        }
        // AllViewerExceptHostHeader
        "b689b0a8-53d0-40ab-baf2-68738e2966ac" => {
            let headers = ForwardedNames::AllExcept(vec!["Host".to_owned()]);
            return Some(Forwarded { headers, ..Forwarded::everything(true) });
        }
        // CORS-CustomOrigin
        "59781a5b-3903-41f3-afcb-af62929ccde1" => ForwardedNames::only(&["Origin"]),
        // CORS-S3Origin
        "88a5eaf4-2fd4-4709-b370-b4c650ea3fcf" => ForwardedNames::only(&CORS),
        // HostHeaderOnly
        "bf0718e1-ba1e-49d1-88b1-f726733018ae" => ForwardedNames::only(&["Host"]),
        // UserAgentRefererHeaders
        "acba4595-bd28-49b8-b9fe-13317c0390fa" => ForwardedNames::only(&["User-Agent", "Referer"]),
        _ => return None,
    };
    Some(Forwarded { headers, ..Forwarded::nothing(true) })
}

fn origin_controlled(query: ForwardedNames) -> Forwarded {
    let headers = ["Host", "Origin", "X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"];
    Forwarded::new(true, query, ForwardedNames::only(&headers), ForwardedNames::All)
}
