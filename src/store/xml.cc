#include "store/xml.h"

namespace rechunk {

pugi::xml_node parse_xml(pugi::xml_document& document, std::string_view text,
                         const char* root) {
  // pugixml knows only the five entities of XML itself.
  const pugi::xml_parse_result result = document.load_buffer(
      text.data(), text.size(), pugi::parse_cdata | pugi::parse_escapes,
      pugi::encoding_utf8);
  return result ? document.child(root) : pugi::xml_node();
}

}  // namespace rechunk
