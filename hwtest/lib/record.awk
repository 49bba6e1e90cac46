# Prints one line of JSON, an object of strings: of each argument KEY=VALUE or KEY@FILE a member.

function quote(text) {
	gsub(/\\/, "\\\\&", text)
	gsub(/"/, "\\\"", text)
	gsub(/\t/, " ", text)
	gsub(/[\001-\037]/, "", text)
	return text
}
BEGIN {
	for (i = 1; i < ARGC; i++) {
		at = match(ARGV[i], /[=@]/)
		value = substr(ARGV[i], at + 1)
		text = ""
		if (substr(ARGV[i], at, 1) == "=")
			text = quote(value)
		else
			while ((getline line <value) > 0)
				text = text quote(line) "\\n"
		out = out (i > 1 ? "," : "") "\"" substr(ARGV[i], 1, at - 1) "\":\"" text "\""
	}
	print "{" out "}"
}
