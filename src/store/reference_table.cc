#include "store/reference_table.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <unordered_map>
#include <utility>

#include "rechunk/error.h"
#include "store/key.h"

namespace rechunk {
namespace {

using Json = nlohmann::json;

constexpr std::int64_t kReferencePieceBytes = 1 << 20;
constexpr std::int64_t kMaxReferenceBytes = std::int64_t{1} << 30;

[[noreturn]] void wrong_references(const std::string& cause) {
  throw Error(ErrorKind::kCorrupt,
              "it is no file of kerchunk's references, or damaged: " + cause);
}

/// Gives an object out byte by byte, and reads it piece by piece.
class Pieces {
 public:
  Pieces(const Store& store, std::string key)
      : store_(store),
        key_(std::move(key)),
        buffer_(static_cast<std::size_t>(kReferencePieceBytes)) {
    fill();
  }

  bool at_end() const { return at_ == filled_; }
  char now() const { return static_cast<char>(buffer_[at_]); }
  void next() {
    if (++at_ == filled_ && read_ < bytes_) fill();
  }
  std::int64_t version() const { return version_; }

 private:
  void fill() {
    ReadRequest request{.key = key_, .offset = read_, .destination = {buffer_}};
    store_.read_one(request);
    if (!request.found)
      throw Error(ErrorKind::kNotFound, "there are no references");
    if (read_ == 0) {
      bytes_ = request.object_bytes;
      version_ = request.version;
    }
    if (bytes_ > kMaxReferenceBytes)
      wrong_references("they have more than 1 GiB");
    if (request.version != version_ || request.object_bytes != bytes_ ||
        (request.bytes_read == 0 && bytes_ > 0))
      throw Error(ErrorKind::kIo, "the references change while they are read");
    read_ += request.bytes_read;
    at_ = 0;
    filled_ = static_cast<std::size_t>(request.bytes_read);
  }

  const Store& store_;
  const std::string key_;
  std::vector<std::byte> buffer_;
  std::size_t at_ = 0, filled_ = 0;
  std::int64_t read_ = 0, bytes_ = 0, version_ = 0;
};

/// `Pieces` as what the parser reads. At their end it equals one without any.
class PieceIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = char;

  PieceIterator() = default;
  explicit PieceIterator(Pieces& pieces) : pieces_(&pieces) {}
  char operator*() const { return pieces_->now(); }
  PieceIterator& operator++() {
    pieces_->next();
    return *this;
  }
  void operator++(int) { ++*this; }
  friend bool operator==(const PieceIterator& a, const PieceIterator& b) {
    return a.ended() == b.ended();
  }
  friend bool operator!=(const PieceIterator& a, const PieceIterator& b) {
    return !(a == b);
  }

 private:
  bool ended() const { return !pieces_ || pieces_->at_end(); }
  Pieces* pieces_ = nullptr;
};

/// JSON that stands in the place of a text, written again as text.
class JsonText {
 public:
  void value(std::string_view text) {
    separate();
    text_ += text;
    is_first_ = false;
  }
  void key(const std::string& name) {
    value(Json(name).dump() + ":");
    is_first_ = true;  // No comma before its value.
  }
  void open(char bracket) {
    separate();
    text_ += bracket;
    ++depth_;
    is_first_ = true;
  }
  void close(char bracket) {
    text_ += bracket;
    --depth_;
    is_first_ = false;
  }
  bool is_open() const { return depth_ > 0; }
  std::string take() { return std::exchange(text_, {}); }

 private:
  void separate() {
    if (!is_first_) text_ += ',';
  }

  std::string text_;
  int depth_ = 0;
  bool is_first_ = true;
};

}  // namespace

/// Fills a table with what the parser tells it.
class ReferenceParser final : public nlohmann::json_sax<Json> {
 public:
  explicit ReferenceParser(ReferenceTable& table) : table_(table) {}

  bool null() override {
    // "version": null is what some writers of version 0 leave.
    return scalar("null", where_ == Where::kTop && key_ == "version");
  }
  bool boolean(bool value) override {
    return scalar(value ? "true" : "false", false);
  }
  bool number_integer(Json::number_integer_t value) override {
    return number(value);
  }
  bool number_unsigned(Json::number_unsigned_t value) override {
    if (value > std::numeric_limits<std::int64_t>::max() &&
        !document_.is_open())
      wrong_references("a number is too large");
    if (document_.is_open()) return scalar(std::to_string(value), false);
    return number(static_cast<std::int64_t>(value));
  }
  bool number_float(Json::number_float_t, const std::string& text) override {
    return scalar(text, false);
  }
  bool binary(Json::binary_t&) override { return false; }

  bool string(std::string& value) override {
    if (document_.is_open()) return scalar(Json(value).dump(), false);
    switch (where_) {
      case Where::kTop:
        is_flat_ = true;
        [[fallthrough]];
      case Where::kRefs:
        add_inline(value.starts_with("base64:")
                       ? decode_base64(std::string_view(value).substr(7))
                       : std::move(value));
        return true;
      case Where::kTemplates:
        templates_.emplace_back(key_, std::move(value));
        return true;
      case Where::kItem:
        if (parts_++ == 0) {
          item_.url = number_of(value);
          return true;
        }
        [[fallthrough]];
      default:
        unexpected();
    }
  }

  bool key(std::string& name) override {
    if (document_.is_open())
      document_.key(name);
    else
      key_ = std::move(name);
    return true;
  }

  bool start_object(std::size_t) override {
    if (document_.is_open()) {
      document_.open('{');
    } else if (where_ == Where::kOutside) {
      where_ = Where::kTop;
    } else if (where_ == Where::kTop && key_ == "refs") {
      has_refs_ = true;
      where_ = Where::kRefs;
    } else if (where_ == Where::kTop && key_ == "templates") {
      where_ = Where::kTemplates;
    } else if (where_ == Where::kTop || where_ == Where::kRefs) {
      is_flat_ = is_flat_ || where_ == Where::kTop;
      document_.open('{');
    } else {
      unexpected();
    }
    return true;
  }

  bool end_object() override {
    if (document_.is_open()) {
      document_.close('}');
      if (!document_.is_open()) add_inline(document_.take());
    } else {
      where_ = where_ == Where::kTop ? Where::kOutside : Where::kTop;
    }
    return true;
  }

  bool start_array(std::size_t) override {
    if (document_.is_open()) {
      document_.open('[');
      return true;
    }
    if (where_ == Where::kTop && key_ == "gen") {
      where_ = Where::kGen;
      return true;
    }
    if (where_ != Where::kTop && where_ != Where::kRefs) unexpected();
    is_flat_ = is_flat_ || where_ == Where::kTop;
    around_ = std::exchange(where_, Where::kItem);
    item_ = {};
    parts_ = 0;
    return true;
  }

  bool end_array() override {
    if (document_.is_open()) {
      document_.close(']');
      return true;
    }
    if (where_ == Where::kGen) {
      where_ = Where::kTop;
      return true;
    }
    if (parts_ != 1 && parts_ != 3) unexpected();
    if (parts_ == 1) item_.bytes = ReferenceTable::kWhole;
    where_ = around_;
    add(item_);
    return true;
  }

  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception&) override {
    wrong_references("no JSON at byte " + std::to_string(position));
  }

  void finish() {
    if (is_flat_ && has_refs_)
      wrong_references("\"refs\" stands beside references");
    for (std::string& url : table_.urls_) url = fill_templates(url, templates_);
  }

 private:
  enum class Where { kOutside, kTop, kTemplates, kGen, kRefs, kItem };

  [[noreturn]] void unexpected() const {
    if (where_ == Where::kGen)
      throw Error(ErrorKind::kUnsupported,
                  "the references have \"gen\", which rechunk does not know",
                  "expand them first: fsspec's ReferenceFileSystem can");
    wrong_references("what stands under \"" + key_.substr(0, 200) +
                     "\" is no reference");
  }

  bool scalar(std::string_view text, bool is_expected) {
    if (document_.is_open())
      document_.value(text);
    else if (!is_expected)
      unexpected();
    return true;
  }

  bool number(std::int64_t value) {
    if (document_.is_open()) return scalar(std::to_string(value), false);
    if (where_ == Where::kTop && key_ == "version") {
      if (value != 0 && value != 1)
        throw Error(ErrorKind::kUnsupported,
                    "the references have version " + std::to_string(value));
      return true;
    }
    constexpr std::int64_t kMost = std::int64_t{1} << 60;
    if (where_ != Where::kItem || parts_ == 0 || parts_ > 2 || value < 0 ||
        value > kMost)
      unexpected();
    (parts_++ == 1 ? item_.offset : item_.bytes) = value;
    return true;
  }

  std::uint32_t number_of(const std::string& url) {
    const auto [place, is_new] = url_numbers_.try_emplace(
        url, static_cast<std::uint32_t>(table_.urls_.size()));
    if (is_new) table_.urls_.push_back(url);
    return place->second;
  }

  void add_inline(const std::string& bytes) {
    ReferenceTable::Entry entry;
    entry.offset = static_cast<std::int64_t>(table_.text_.size());
    entry.bytes = static_cast<std::int64_t>(bytes.size());
    table_.text_ += bytes;
    add(entry);
  }

  void add(ReferenceTable::Entry entry) {
    if (!is_key(key_)) unexpected();
    entry.key_begin = table_.text_.size();
    entry.key_bytes = static_cast<std::uint32_t>(key_.size());
    table_.text_ += key_;
    table_.entries_.push_back(entry);
  }

  ReferenceTable& table_;
  std::vector<std::pair<std::string, std::string>> templates_;
  std::unordered_map<std::string, std::uint32_t> url_numbers_;
  Where where_ = Where::kOutside, around_ = Where::kOutside;
  std::string key_;
  ReferenceTable::Entry item_;
  int parts_ = 0;  ///< Of the item.
  JsonText document_;
  bool is_flat_ = false, has_refs_ = false;
};

ReferenceTable::ReferenceTable(const Store& store, const std::string& key) {
  Pieces pieces(store, key);
  version_ = pieces.version();
  ReferenceParser parser(*this);
  if (!Json::sax_parse(PieceIterator(pieces), PieceIterator(), &parser))
    wrong_references("they are no JSON object");
  parser.finish();
  sort_keys();
}

void ReferenceTable::sort_keys() {
  std::sort(entries_.begin(), entries_.end(),
            [&](const Entry& a, const Entry& b) { return key(a) < key(b); });
  for (std::size_t at = 1; at < entries_.size(); ++at)
    if (key(at - 1) == key(at))
      wrong_references("\"" + std::string(key(at).substr(0, 200)) +
                       "\" stands there twice");
}

}  // namespace rechunk
