# Functions for a table whose rows name a file of the tree and quote a text in it. For awk -f,
# before the program that reads the table. Paths are relative to the current directory.

# Replaces \n, \t and \\ by the characters that they mean.
function unescape(text, out, i, c) {
	out = ""
	for (i = 1; i <= length(text); i++) {
		c = substr(text, i, 1)
		if (c == "\\") {
			c = substr(text, ++i, 1)
			c = c == "n" ? "\n" : c == "t" ? "\t" : c
		}
		out = out c
	}
	return out
}

# Returns the file's text; empty if there is no such file.
function content(file, text, line) {
	if (file in contents)
		return contents[file]
	text = ""
	while ((getline line <file) > 0)
		text = text line "\n"
	close(file)
	return contents[file] = text
}

# Returns the position of part in the file if it is there exactly once. Otherwise calls wrong(),
# which is the program's, and returns 0.
function find(file, part, text, first) {
	text = content(file)
	first = index(text, part)
	if (text == "")
		wrong("there is no " file)
	else if (!first)
		wrong(file " does not have '" part "'")
	else if (index(substr(text, first + 1), part))
		wrong(file " has '" part "' more than once")
	else
		return first
	return 0
}

# Returns the number of the line at that position of the text.
function line_of(text, position) {
	text = substr(text, 1, position)
	return gsub(/\n/, "\n", text) + 1
}
