"""A project: photos, boxes, vectors, groups, names and decisions in one folder, every edit written as it is made."""
