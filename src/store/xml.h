// XML from servers, which is not trusted: documents have no types, and their
// entities are not expanded.
#pragma once

#include <pugixml.hpp>
#include <string_view>

namespace rechunk {

/// Its root element is `root`, in any namespace; else an empty node.
/// The document must live as long as its nodes are used.
pugi::xml_node parse_xml(pugi::xml_document& document, std::string_view text,
                         const char* root);

}  // namespace rechunk
