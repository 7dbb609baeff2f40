//! Parameters with a fixed set of words.

use super::source::Format;

macro_rules! choice {
    (
        $(#[$doc:meta])* $name:ident, $expected:literal,
        { $($(#[$variant_doc:meta])* $variant:ident = $word:literal),+ $(,)? }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name {
            $($(#[$variant_doc])* $variant),+
        }

        impl $name {
            pub(super) const FORMAT: Format<Self> = Format::new($expected, |text| match text {
                $($word => Some(Self::$variant),)+
                _ => None,
            });

            /// The word in the parameter.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word),+
                }
            }
        }
    };
}

choice! {
    /// The function of a bundle.
    FunctionKind, "must be \"request\" or \"response\"",
    { Request = "request", Response = "response" }
}

choice! {
    /// Treatment of a request that could not be inspected.
    FailMode, "must be \"open\" or \"closed\"",
    {
        /// It continues to the origin.
        Open = "open",
        /// It is blocked.
        Closed = "closed",
    }
}

choice! {
    /// Treatment of a request whose body was truncated.
    TruncatedBody, "must be \"auto\", \"inspect\", \"block\" or \"pass\"",
    {
        /// The node inspects the part that was received, and refuses text that is longer than the
        /// part CloudFront shows at origin-request, and text whose visible part is padding.
        Auto = "auto",
        /// The node inspects the part that was received.
        Inspect = "inspect",
        /// It is blocked, and counted as not inspected.
        Block = "block",
        /// It continues to the origin, and is counted as not inspected.
        Pass = "pass",
    }
}
