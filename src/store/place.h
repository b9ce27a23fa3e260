// Places as text: local paths, file URLs and URLs of other stores. No store is
// opened.
//
// Local places are compared by what they are on the disk (links, bind mounts,
// disks that do not tell upper from lower case), URLs by their text.
#pragma once

#include <string>

namespace rechunk {

/// True for paths and file URLs.
bool is_local(const std::string& place);

/// One spelling of a place: a local path that is absolute and without links, or
/// a URL without slashes at its end.
std::string real_place(const std::string& place);

/// As an absolute path, for processes in other folders. URLs stay.
std::string absolute_place(const std::string& place);

/// The last part of a place: "b.zarr" of "s3://bucket/a/b.zarr".
std::string name_of_place(const std::string& place);

/// What is around a place, and another place in that: beside("/a/b", "c") is
/// "/a/c". Throws: invalid_argument (a whole bucket or disk has nothing beside
/// it).
std::string place_around(const std::string& place);
std::string beside(const std::string& place, const std::string& name);

bool same_place(const std::string& a, const std::string& b);

/// True also if both are the same place.
bool lies_within(const std::string& inner, const std::string& outer);

/// True if the place is a local link, even one that points nowhere.
bool is_link(const std::string& place);

}  // namespace rechunk
