# Nodes that enrol themselves, made, replaced and destroyed by Terraform.
#
# - The token is in no state and in no plan: `handfast` writes it into a file of mode 0600, and the node's own first boot takes
#   it from there. So there is nothing to drift when it is spent.
# - What makes it another node is one hash. It is the keeper of the package: the same hash again is the same package, another
#   hash replaces it, and a destroy that comes late ends only the package that it was made with.
# - Every end returns the client: `destroy` revokes, and the provisioner counts it as gone only when it is.

terraform {
  required_version = ">= 1.4" # terraform_data
}

variable "url" {
  type        = string
  description = "The provisioner's API, for example https://enrol.example.org/api"
}

variable "operator_token_file" {
  type        = string
  description = "The file that holds an operator's token"
}

variable "scope" {
  type        = string
  description = "The scope whose quota counts"
  default     = "default"
}

variable "nodes" {
  type        = map(string)
  description = "Each node, and what makes it another node when it changes, its image for one"
}

variable "folder" {
  type        = string
  description = "Where the tokens wait for their nodes"
}

locals {
  hashes = { for name, what in var.nodes : name => sha256(jsonencode([var.scope, name, what])) }
}

# A snapshot: later changes of anything but the hash change nothing.
resource "terraform_data" "enrollment" {
  for_each = local.hashes

  triggers_replace = each.value
  input = {
    url        = var.url
    token_file = var.operator_token_file
    scope      = var.scope
    name       = each.key
    hash       = each.value
    out        = "${var.folder}/${each.key}.token"
  }
  lifecycle {
    ignore_changes = [input]
  }

  provisioner "local-exec" {
    command = "handfast package issue --scope \"$SCOPE\" --name \"$NAME\" --keeper replacement=\"$HASH\" --request \"$HASH\" --out \"$OUT\""
    environment = {
      HANDFAST_URL                 = self.output.url
      HANDFAST_OPERATOR_TOKEN_FILE = self.output.token_file
      SCOPE                        = self.output.scope
      NAME                         = self.output.name
      HASH                         = self.output.hash
      OUT                          = self.output.out
    }
  }

  provisioner "local-exec" {
    when    = destroy
    command = "handfast package revoke --scope \"$SCOPE\" --name \"$NAME\" --keeper replacement=\"$HASH\" && rm -f \"$OUT\""
    environment = {
      HANDFAST_URL                 = self.output.url
      HANDFAST_OPERATOR_TOKEN_FILE = self.output.token_file
      SCOPE                        = self.output.scope
      NAME                         = self.output.name
      HASH                         = self.output.hash
      OUT                          = self.output.out
    }
  }
}

# The node itself. In a cloud this is the instance; it is made anew with its enrolment and only then, whatever becomes of the token:
#
#   lifecycle {
#     replace_triggered_by = [terraform_data.enrollment[each.key]]
#     ignore_changes       = [user_data]
#   }
resource "terraform_data" "node" {
  for_each = local.hashes

  input = {
    state = "${var.folder}/${each.key}"
    token = "${var.folder}/${each.key}.token"
    url   = var.url
  }
  lifecycle {
    replace_triggered_by = [terraform_data.enrollment[each.key]]
    ignore_changes       = [input]
  }

  provisioner "local-exec" {
    command = "rm -rf \"$STATE\" && first-boot --token-file \"$TOKEN\" --state-dir \"$STATE\""
    environment = {
      HANDFAST_URL = self.output.url
      STATE        = self.output.state
      TOKEN        = self.output.token
    }
  }

  provisioner "local-exec" {
    when        = destroy
    command     = "rm -rf \"$STATE\""
    environment = { STATE = self.output.state }
  }
}
